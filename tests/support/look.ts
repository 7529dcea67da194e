import { expect, type Page, test } from "@playwright/test";

import { expectAccessible } from "./axe";

/** With SCREENSHOTS set to a folder each look leaves pictures there. */
const screenshots = process.env.SCREENSHOTS;
const sizes = { desktop: { width: 1280, height: 800 }, phone: { width: 360, height: 740 } };

/**
 * Looks at a state with axe in both themes, on a desktop and on a phone of 360 px. There nothing may be wider than the screen, and what stands in
 * the page has the same margin on both sides.
 */
export async function look(page: Page, state: string) {
  for (const [device, size] of Object.entries(sizes))
    for (const colorScheme of ["light", "dark"] as const) {
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await expect(page.locator("html")).toHaveClass(colorScheme);
      await test.step(`${state}, ${device}, ${colorScheme}`, async () => {
        await expectAccessible(page, colorScheme === "light" ? "all" : "colors");
        expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBe(0);
        expect(await page.evaluate(outsideOfMargins)).toEqual([]);
        if (screenshots) {
          const hasDialog = (await page.getByRole("dialog").or(page.getByRole("alertdialog")).count()) > 0;
          const path = `${screenshots}/${state}-${device}-${colorScheme}.png`;
          await page.screenshot({ path, caret: "initial", fullPage: !hasDialog });
        }
      });
    }
  await page.setViewportSize(sizes.desktop);
}

/** What reaches into the margin of the page's `main`, on either side. */
function outsideOfMargins(): string[] {
  const main = document.querySelector("main");
  if (!main) return ["no main"];
  const { left, right } = main.getBoundingClientRect();
  const { paddingLeft, paddingRight } = getComputedStyle(main);
  const edges = [left + parseFloat(paddingLeft), right - parseFloat(paddingRight)] as const;
  if (paddingLeft !== paddingRight || left !== document.documentElement.clientWidth - right) return ["unequal margins"];
  return [...main.querySelectorAll("*")]
    .filter((element) => {
      const box = element.getBoundingClientRect();
      // What only screen readers see is one pixel large.
      return box.width > 1 && box.height > 1 && (box.left < edges[0] - 1 || box.right > edges[1] + 1);
    })
    .map(({ outerHTML }) => outerHTML.slice(0, 200));
}
