import { expect, type Page } from "@playwright/test";

import { createGate } from "../support/gate";
import { rotateKeyOver } from "../support/http-user";
import {
  comeBackTo,
  crashAfterSubmit,
  loseAnswers,
  revokedRowOf,
  rotationOf,
  rowOf,
  startRevoking,
  startRotating,
  textOn,
  whoami,
  withKeys,
} from "../support/settings-page";
import { type SignedIn, test } from "../support/signed-in";

/** Uses are written once a minute. */
const untilWritten = { timeout: 90_000 };
const refused = { status: 401, code: "api_key_revoked" };

const rotateOver = ({ page, user }: SignedIn, graceSeconds: number) =>
  rotateKeyOver(page.request, user, "Production", graceSeconds);

/** Rotates on the page, says that the new secret is saved, and returns it. */
async function rotate(page: Page, name: string, choice?: string): Promise<string> {
  const dialog = await startRotating(page, name);
  if (choice !== undefined) await dialog.getByText(choice, { exact: true }).click();
  await dialog.getByRole("button", { name: /^Rotate/ }).click();
  const secret = await dialog.getByLabel(`Key “${name}”`).inputValue();
  await dialog.getByLabel("I have saved it").check();
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(page.getByRole("button", { name: `Rotate ${name}`, exact: true })).toBeFocused();
  return secret;
}

test.setTimeout(180_000);

test.describe("rotation on the settings page", () => {
  test("nothing stops until the new key is used, and the old one then works until it is ended", async ({
    openAsNewUser,
  }) => {
    const session = await openAsNewUser();
    const { page } = session;
    const [old = ""] = await withKeys(session, "Production");
    const dialog = await startRotating(page, "Production");
    await expect(dialog.getByRole("radio", { name: "24 hours" })).toBeChecked();
    await page.keyboard.press("Escape");
    const fresh = await rotate(page, "Production");
    const row = rotationOf(page, "Production");
    await expect(row).toContainText("waits for its first use.");
    await expect(row).toContainText("The old one works until then, and for 24 hours more.");
    expect(await whoami(page, old)).toMatchObject({ status: 200, secret: "current" });
    await page.waitForResponse(/apiKeys\.list/);
    await expect(row).toContainText("waits for its first use");

    expect(await whoami(page, fresh)).toMatchObject({ status: 200, secret: "current" });
    await expect(row).toContainText("works until");
    await expect(rowOf(page, "Production")).toContainText(fresh.slice(-4));
    await expect(row).toContainText(old.slice(-4));
    expect(await whoami(page, old)).toMatchObject({ status: 200, secret: "previous" });
    await expect(row).toContainText("Used just now", untilWritten);

    await row.getByRole("button", { name: "End it now: the old key of Production" }).click();
    const confirmation = page.getByRole("alertdialog");
    await expect(confirmation.getByRole("button", { name: "Cancel" })).toBeFocused();
    await confirmation.getByRole("button", { name: "End it now" }).click();
    await expect(confirmation.getByRole("status")).toContainText("No request that starts from now on is accepted.");
    expect(await whoami(page, old)).toMatchObject(refused);
    expect(await whoami(page, fresh)).toMatchObject({ status: 200 });
    await confirmation.getByRole("button", { name: "Done" }).click();
    await expect(row).toBeHidden();
    await expect(page.getByRole("button", { name: "Rotate Production", exact: true })).toBeFocused();
  });

  test("rotated now, the old key is refused before the new one is shown", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    const [old = ""] = await withKeys(session, "Production");
    const dialog = await startRotating(page, "Production");
    await dialog.getByText("Ends now", { exact: true }).click();
    await dialog.getByRole("button", { name: "Rotate, end the old key" }).click();
    await expect(dialog).toContainText("No request that starts from now on is accepted.");
    const fresh = await dialog.getByLabel("Key “Production”").inputValue();
    expect(await whoami(page, old)).toMatchObject(refused);
    await dialog.getByRole("button", { name: "Try it" }).click();
    await expect(dialog).toContainText("200");
    expect(await whoami(page, fresh)).toMatchObject({ status: 200, secret: "current" });
  });

  test("while the new key waits, the page does not use it", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "Production");
    const dialog = await startRotating(page, "Production");
    await dialog.getByRole("button", { name: "Rotate key" }).click();
    await expect(dialog.getByLabel("Key “Production”")).toBeVisible();
    await expect(dialog.getByRole("button", { name: "Try it" })).toBeHidden();
  });

  test("a rotation that is cancelled leaves the old key as it was, and the new one never works", async ({
    openAsNewUser,
  }) => {
    const session = await openAsNewUser();
    const { page } = session;
    const [old = ""] = await withKeys(session, "Production");
    const fresh = await rotate(page, "Production", "1 hour");
    await page.getByRole("button", { name: "Cancel rotation of Production" }).click();
    const confirmation = page.getByRole("alertdialog");
    await confirmation.getByRole("button", { name: "Cancel rotation" }).click();
    await expect(confirmation.getByRole("status")).toContainText("No request that starts from now on is accepted.");
    await confirmation.getByRole("button", { name: "Done" }).click();
    await expect(rotationOf(page, "Production")).toBeHidden();
    expect(await whoami(page, fresh)).toMatchObject(refused);
    expect(await whoami(page, old)).toMatchObject({ status: 200 });
  });

  test("a rotation that is cancelled too late says that the new key was used", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "Production");
    const fresh = await rotateOver(session, 3_600);
    await page.reload();
    await page.getByRole("button", { name: "Cancel rotation of Production" }).click();
    await whoami(page, fresh);
    const confirmation = page.getByRole("alertdialog");
    await confirmation.getByRole("button", { name: "Cancel rotation" }).click();
    await expect(confirmation.getByRole("status")).toContainText("The new key was used in the meantime");
    expect(await whoami(page, fresh)).toMatchObject({ status: 200 });
  });

  test("while an old key is in its last time, only “now” is possible, and it ends both", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    const [first = ""] = await withKeys(session, "Production");
    const second = await rotateOver(session, 3_600);
    await whoami(page, second);
    await page.reload();
    const dialog = await startRotating(page, "Production");
    await expect(dialog).toContainText("only “now” is possible");
    await expect(dialog.getByRole("radio")).toHaveCount(0);
    await dialog.getByRole("button", { name: "Rotate, end the old key" }).click();
    const third = await dialog.getByLabel("Key “Production”").inputValue();
    for (const ended of [first, second]) expect(await whoami(page, ended)).toMatchObject(refused);
    expect(await whoami(page, third)).toMatchObject({ status: 200 });
  });

  test("an answer that is lost is asked for again, and one new key works", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    const [old = ""] = await withKeys(session, "Production");
    await loseAnswers(page, "rotate", "after");
    const dialog = await startRotating(page, "Production");
    await dialog.getByText("Ends now", { exact: true }).click();
    await dialog.getByRole("button", { name: "Rotate, end the old key" }).click();
    await expect(dialog.getByRole("alert")).toContainText("Try again");
    await page.unroute("**/api/trpc/apiKeys.rotate*");
    await dialog.getByRole("button", { name: "Rotate, end the old key" }).click();
    const fresh = await dialog.getByLabel("Key “Production”").inputValue();
    expect(await whoami(page, old)).toMatchObject(refused);
    expect(await whoami(page, fresh)).toMatchObject({ status: 200 });
  });

  test("a new secret survives a crash of the page", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "Production");
    const dialog = await startRotating(page, "Production");
    await crashAfterSubmit(dialog);
    await dialog.getByRole("button", { name: "Rotate key" }).click();
    const field = page.getByLabel("Copy your key “Production” now. It cannot be shown again.");
    const secret = await field.inputValue();
    await page.getByRole("button", { name: "Try again" }).click();
    const again = page.getByRole("dialog");
    await expect(again.getByLabel("Key “Production”")).toHaveValue(secret);
    await expect(again).toContainText("The old key still works");
  });

  test("a leaked old or waiting key is told from the current one, and ended alone", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    const [old = ""] = await withKeys(session, "Production");
    const fresh = await rotateOver(session, 3_600);
    await page.reload();
    const field = page.getByLabel("Key or line that contains it");
    await field.fill(`API_KEY=${fresh}`);
    await expect(page.getByText("This is the new key of “Production”")).toBeVisible();
    await whoami(page, fresh);
    await field.fill(`API_KEY=${old}`);
    await expect(page.getByText("This is the old key of “Production”")).toBeVisible();
    await page.getByRole("region", { name: "Has a key leaked?" }).getByRole("button", { name: "End it now" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "End it now" }).click();
    await expect(page.getByRole("alertdialog").getByRole("status")).toContainText("accepted");
    expect(await whoami(page, old)).toMatchObject(refused);
    expect(await whoami(page, fresh)).toMatchObject({ status: 200 });
    await page.getByRole("alertdialog").getByRole("button", { name: "Done" }).click();
    await field.fill(`API_KEY=${fresh}`);
    await page.getByRole("region", { name: "Has a key leaked?" }).getByRole("button", { name: "Rotate key" }).click();
    await expect(page.getByRole("dialog").getByRole("radio", { name: "Ends now" })).toBeChecked();
  });

  test("revoking a key ends both of its secrets", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    const [old = ""] = await withKeys(session, "Production");
    const fresh = await rotateOver(session, 3_600);
    await whoami(page, fresh);
    await page.reload();
    const confirmation = await startRevoking(page, "Production");
    const field = confirmation.getByRole("textbox");
    if (await field.isVisible()) await field.fill("Production");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(confirmation.getByRole("status")).toContainText("No request that starts from now on is accepted.");
    await confirmation.getByRole("button", { name: "Done" }).click();
    await expect(revokedRowOf(page, "Production")).toContainText("Since");
    await expect(rotationOf(page, "Production")).toBeHidden();
    for (const secret of [old, fresh]) expect(await whoami(page, secret)).toMatchObject(refused);
  });

  test("a page that comes back does not say how a rotation stands before the server has answered", async ({
    openAsNewUser,
  }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "Production");
    await rotateOver(session, 3_600);
    await page.reload();
    const row = rotationOf(page, "Production");
    await expect(row).toContainText("waits for its first use");
    const gate = createGate();
    await page.route("**/api/trpc/apiKeys.list*", async (route) => {
      await gate.opened;
      await route.continue();
    });
    await comeBackTo(page);
    await expect(row).toContainText("Checking…");
    await expect(row).not.toContainText("waits for its first use");
    gate.open();
    await expect(row).toContainText("waits for its first use");
  });

  test("with the keyboard alone a key is rotated and its old secret ended", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "Production");
    await page.getByRole("button", { name: "Rotate Production", exact: true }).focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await expect(dialog.getByRole("radio", { name: "24 hours" })).toBeFocused();
    await page.keyboard.press("ArrowLeft");
    await expect(dialog.getByRole("radio", { name: "1 hour" })).toBeChecked();
    await page.keyboard.press("Enter");
    await expect(dialog.getByRole("button", { name: "Copy key" })).toBeFocused();
    const fresh = await dialog.getByLabel("Key “Production”").inputValue();
    await page.keyboard.press("Escape");
    await expect(page.getByText("Close without copying the key?")).toBeVisible();
    await page.keyboard.press("Tab");
    await page.getByRole("button", { name: "Close anyway" }).focus();
    await page.keyboard.press("Enter");
    await expect(page.getByRole("button", { name: "Rotate Production", exact: true })).toBeFocused();
    await whoami(page, fresh);
    await expect(rotationOf(page, "Production")).toContainText("works until");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await expect(page.getByRole("button", { name: "End it now: the old key of Production" })).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(page.getByRole("alertdialog").getByRole("button", { name: "Cancel" })).toBeFocused();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("alertdialog").getByRole("button", { name: "Done" })).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(page.getByRole("button", { name: "Rotate Production", exact: true })).toBeFocused();
    await expect(textOn(page, "Old key")).toHaveCount(0);
  });
});
