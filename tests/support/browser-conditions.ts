import type { Page } from "@playwright/test";

/** Browsers as people have them. Each takes hold of the page that is open, and of those that follow in it. */

/** Puts every text into an element of its own, again and again, as the translation of a browser does. */
export async function translate(page: Page): Promise<void> {
  const start = () => {
    const replace = (root: Node) => {
      const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
      const texts: Text[] = [];
      for (let node = walker.nextNode(); node; node = walker.nextNode()) texts.push(node as Text);
      for (const text of texts) {
        const parent = text.parentElement;
        if (!parent || !text.data.trim() || parent.closest("font, script, style, textarea, [translate=no]")) continue;
        const outer = document.createElement("font" as string);
        outer.append(document.createElement("font" as string));
        outer.firstElementChild?.append(text.data);
        text.replaceWith(outer);
      }
    };
    new MutationObserver((records) => {
      for (const { target } of records) replace(target.parentNode ?? target);
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
    replace(document.body);
  };
  await page.evaluate(start);
}

/** A processor several times slower than this machine's. */
export async function slowDown(page: Page, rate = 6): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate });
}

/** A clock that is wrong by so many milliseconds, from the next page load on. `moveClock` changes that while the page is open. */
export async function setClockWrong(page: Page, milliseconds: number): Promise<void> {
  await page.addInitScript((initial) => {
    const RealDate = Date;
    const wrong = { milliseconds: initial };
    class WrongDate extends RealDate {
      constructor(...parts: [] | [number | string | Date]) {
        if (parts.length === 0) super(RealDate.now() + wrong.milliseconds);
        else super(...parts);
      }
      static override now() {
        return RealDate.now() + wrong.milliseconds;
      }
    }
    Object.assign(globalThis, { Date: WrongDate, wrongClock: wrong });
  }, milliseconds);
}

export async function moveClock(page: Page, milliseconds: number): Promise<void> {
  await page.evaluate((by) => {
    (globalThis as unknown as { wrongClock: { milliseconds: number } }).wrongClock.milliseconds += by;
  }, milliseconds);
}

/** What a page lacks that was loaded over http from an address in the LAN, from the next page load on. */
export async function loseSecureContext(page: Page): Promise<void> {
  await page.addInitScript(() => {
    Object.defineProperty(globalThis, "isSecureContext", { value: false });
    Object.defineProperty(Crypto.prototype, "randomUUID", { value: undefined });
    Object.defineProperty(Crypto.prototype, "subtle", { value: undefined });
    Object.defineProperty(Navigator.prototype, "clipboard", { value: undefined });
  });
}

/** An input method that is composing in the focused field, until `end`. Its keys reach the page as those of a composition. */
export async function compose(page: Page, text: string) {
  const session = await page.context().newCDPSession(page);
  await session.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
  return { end: () => session.send("Input.insertText", { text }) };
}
