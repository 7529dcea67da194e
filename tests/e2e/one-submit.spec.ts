import { expect, type Locator, type Page } from "@playwright/test";

import { slowDown } from "../support/browser-conditions";
import { revokedRowOf, rowOf, startCreating, startRevoking, whoami, withKeys } from "../support/settings-page";
import { test } from "../support/signed-in";

/** How many calls of a procedure the page has sent; several may travel in one request. */
function countCalls(page: Page, procedure: string): () => number {
  let calls = 0;
  page.on("request", (request) => {
    const procedures = new URL(request.url()).pathname.split("/").at(-1)?.split(",") ?? [];
    calls += procedures.filter((name) => name === `apiKeys.${procedure}`).length;
  });
  return () => calls;
}

/** Two clicks before the page can draw anything in between. */
const clickTwiceAtOnce = (button: Locator) =>
  button.evaluate((element: HTMLElement) => {
    element.click();
    element.click();
  });

test.describe("one submit is one call", () => {
  test("of two clicks in one moment, for creating", async ({ openAsNewUser }) => {
    const { page } = await openAsNewUser();
    const calls = countCalls(page, "create");
    const dialog = await startCreating(page, "Twice");
    await clickTwiceAtOnce(dialog.getByRole("button", { name: "Create key" }));
    const secret = await dialog.getByLabel("Key “Twice”").inputValue();
    expect(await whoami(page, secret)).toMatchObject({ status: 200 });
    expect(calls()).toBe(1);
  });

  test("of a click and an Enter, for creating", async ({ openAsNewUser }) => {
    const { page } = await openAsNewUser();
    const calls = countCalls(page, "create");
    const dialog = await startCreating(page, "Click and Enter");
    await dialog.getByRole("button", { name: "Create key" }).evaluate((button: HTMLButtonElement) => {
      button.click();
      button.form?.requestSubmit();
    });
    const secret = await dialog.getByLabel("Key “Click and Enter”").inputValue();
    expect(await whoami(page, secret)).toMatchObject({ status: 200 });
    expect(calls()).toBe(1);
  });

  test("of a double click on a slow machine, and the secret that is shown works", async ({ openAsNewUser }) => {
    const { page } = await openAsNewUser();
    await slowDown(page);
    for (const [round, pause] of [40, 70, 100, 120].entries()) {
      const calls = countCalls(page, "create");
      const name = `Round ${round}`;
      const dialog = await startCreating(page, name);
      const button = await dialog.getByRole("button", { name: "Create key" }).boundingBox();
      if (!button) throw new Error("the button is not there");
      await page.mouse.click(button.x + 20, button.y + 10);
      // How long a hand takes: the second click comes before, with or after the answer.
      await page.waitForTimeout(pause);
      await page.mouse.click(button.x + 20, button.y + 10, { clickCount: 2 });
      const secret = await dialog.getByLabel(`Key “${name}”`).inputValue();
      expect(await whoami(page, secret)).toMatchObject({ status: 200 });
      expect(calls()).toBe(1);
      await dialog.getByLabel("I have saved it").check();
      await dialog.getByRole("button", { name: "Done" }).click();
      await expect(rowOf(page, name)).toHaveCount(1);
    }
  });

  test("for renaming, revoking and revoking all", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "Third", "Second", "First");
    const renames = countCalls(page, "rename");
    await page.getByRole("button", { name: "Rename First" }).click();
    await page.getByRole("textbox", { name: "New name for First" }).fill("Renamed");
    await clickTwiceAtOnce(page.getByRole("button", { name: "Save" }));
    await expect(rowOf(page, "Renamed")).toBeVisible();
    expect(renames()).toBe(1);

    const revocations = countCalls(page, "revoke");
    const confirmation = await startRevoking(page, "Renamed");
    await clickTwiceAtOnce(confirmation.getByRole("button", { name: "Revoke key" }));
    await expect(confirmation.getByRole("status")).toContainText("Effective since");
    expect(revocations()).toBe(1);
    await clickTwiceAtOnce(confirmation.getByRole("button", { name: "Done" }));

    const all = countCalls(page, "revokeAll");
    await page.getByRole("button", { name: "Revoke all keys" }).click();
    await clickTwiceAtOnce(confirmation.getByRole("button", { name: "Revoke all" }));
    await expect(confirmation.getByRole("status")).toContainText("Effective since");
    expect(all()).toBe(1);
    await confirmation.getByRole("button", { name: "Done" }).click();
    await expect(revokedRowOf(page, "Third")).toBeVisible();
  });

  test("a failed one can be repeated", async ({ openAsNewUser }) => {
    const { page } = await openAsNewUser();
    await page.route("**/api/trpc/apiKeys.create*", (route) => route.abort(), { times: 1 });
    const calls = countCalls(page, "create");
    const dialog = await startCreating(page, "Second try");
    await clickTwiceAtOnce(dialog.getByRole("button", { name: "Create key" }));
    await expect(dialog.getByRole("alert")).toBeVisible();
    expect(calls()).toBe(1);
    await dialog.getByRole("button", { name: "Create key" }).click();
    await expect(dialog.getByLabel("Key “Second try”")).toBeVisible();
  });

  test("a double click opens the create dialog and leaves it open", async ({ openAsNewUser }) => {
    const { page } = await openAsNewUser();
    await page.getByRole("button", { name: "Create key", exact: true }).dblclick();
    await expect(page.getByRole("dialog").getByLabel("Name")).toBeFocused();
    await page.getByRole("dialog").getByLabel("Name").fill("Still open");
  });

  test("the second click of a hand does not close the receipt that the first has brought", async ({
    openAsNewUser,
  }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "Receipt");
    const confirmation = await startRevoking(page, "Receipt");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    const done = confirmation.getByRole("button", { name: "Done" });
    await done.evaluate((button) => button.dispatchEvent(new MouseEvent("click", { bubbles: true, detail: 2 })));
    await expect(confirmation.getByRole("status")).toContainText("Effective since");
    await done.click();
    await expect(confirmation).toBeHidden();
  });
});
