import { expect, type Page } from "@playwright/test";

import {
  compose,
  loseSecureContext,
  moveClock,
  setClockWrong,
  slowDown,
  translate,
} from "../support/browser-conditions";
import { createGate } from "../support/gate";
import { createKeyOver } from "../support/http-user";
import {
  comeBackTo,
  crashAfterSubmit,
  createAndReveal,
  createKey,
  revokedRowOf,
  rowOf,
  startCreating,
  startRevoking,
  textOn,
  whoami,
  withKeys,
} from "../support/settings-page";
import { test } from "../support/signed-in";
import { storeExpiry, storeName, storePendingRevocation, storeSecondsToLive, storeUses } from "../support/stored-keys";

const crashed = (page: Page) => textOn(page, "Something went wrong");

test.describe("a page that the browser translates", () => {
  test("shows a new key's secret, and the receipt of a revocation", async ({ openAsNewUser }) => {
    const { page } = await openAsNewUser();
    await translate(page);
    const secret = await createKey(page, "Translated");
    const confirmation = await startRevoking(page, "Translated");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(confirmation.getByRole("status")).toContainText("Effective since");
    expect(await whoami(page, secret)).toMatchObject({ status: 401 });
    await confirmation.getByRole("button", { name: "Done" }).click();
    await expect(crashed(page)).toHaveCount(0);
  });

  test("goes on telling what changes: a count, a countdown, a busy button, a new name", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page, user } = session;
    await withKeys(session, "Old name");
    await translate(page);
    await createKeyOver(page.request, user, "Second");
    await comeBackTo(page);
    await expect(textOn(page, "2 of 5 active")).toBeVisible();
    await page.getByRole("button", { name: "Rename Old name" }).click();
    await page.getByRole("textbox", { name: "New name for Old name" }).fill("New name");
    await page.keyboard.press("Enter");
    await expect(rowOf(page, "New name")).toBeVisible();
    await page.route("**/api/trpc/apiKeys.revokeAll*", () => undefined);
    await page.getByRole("button", { name: "Revoke all keys" }).click();
    const confirmation = page.getByRole("alertdialog");
    await confirmation.getByRole("button", { name: "Revoke all" }).click();
    await expect(confirmation.getByRole("button", { name: "Revoking…" })).toBeVisible();
    await expect(crashed(page)).toHaveCount(0);
    await page.unrouteAll({ behavior: "ignoreErrors" });
  });

  test("tells a key's first use", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page, user } = session;
    await withKeys(session, "Fresh");
    await expect(rowOf(page, "Fresh")).toContainText("Never");
    await translate(page);
    await storeUses(user, "Fresh", [{ hoursAgo: 0, count: 1 }]);
    await comeBackTo(page);
    await expect(rowOf(page, "Fresh")).toContainText("just now");
    await expect(crashed(page)).toHaveCount(0);
  });

  test("is taken over as it stands, when it was translated before the page's scripts came", async ({
    openAsNewUser,
  }) => {
    const session = await openAsNewUser();
    const { page, user } = session;
    const [revoked = ""] = await withKeys(session, "Revoked");
    await page.request.delete("/api/v1/whoami", { headers: { "x-api-key": revoked } });
    await withKeys(session, "Unused", "Expired", "Expiring", "Used", "Pending");
    await storeExpiry(user, "Expired", -1);
    await storeExpiry(user, "Expiring", 3);
    await storeUses(user, "Used", [{ hoursAgo: 2, count: 1 }]);
    await storePendingRevocation(user, "Pending");
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    const scripts = createGate();
    await page.route("**/_next/static/**/*.js*", async (route) => {
      await scripts.opened;
      await route.continue();
    });
    await page.reload({ waitUntil: "commit" });
    const button = page.getByRole("button", { name: "Create key", exact: true });
    await button.waitFor();
    await translate(page);
    const rendered = await button.elementHandle();
    scripts.open();
    await comeBackTo(page);
    // A tree that React makes anew loses the click that came just before.
    expect(await rendered.evaluate((element) => element.isConnected)).toBe(true);
    expect(errors).toEqual([]);
  });
});

test.describe("whatever crashes", () => {
  test("a secret that has arrived is still shown, and again after “Try again”", async ({ openAsNewUser }) => {
    const { page } = await openAsNewUser();
    const dialog = await startCreating(page, "Survivor");
    await crashAfterSubmit(dialog);
    await dialog.getByRole("button", { name: "Create key" }).click();
    await expect(crashed(page)).toBeVisible();
    const field = page.getByLabel("Copy your key “Survivor” now. It cannot be shown again.");
    const secret = await field.inputValue();
    expect(await whoami(page, secret)).toMatchObject({ status: 200 });
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(page.getByRole("dialog").getByLabel("Key “Survivor”")).toHaveValue(secret);
    await page.getByRole("dialog").getByLabel("I have saved it").check();
    await page.getByRole("dialog").getByRole("button", { name: "Done" }).click();
    await expect(rowOf(page, "Survivor")).toContainText("Active");
  });

  test("a receipt that has arrived is still shown", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "Ended");
    const confirmation = await startRevoking(page, "Ended");
    await crashAfterSubmit(confirmation);
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(crashed(page)).toBeVisible();
    await expect(page.getByRole("status").filter({ hasText: "“Ended” is revoked" })).toContainText(
      "No request that starts from now on is accepted.",
    );
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(revokedRowOf(page, "Ended")).toBeVisible();
  });
});

test("without a secure context, as on http in a LAN, everything works but the clipboard, which says so", async ({
  openAsNewUser,
}) => {
  const { page } = await openAsNewUser();
  await loseSecureContext(page);
  await page.reload();
  const { dialog, secret } = await createAndReveal(page, "In a LAN");
  await dialog.getByRole("button", { name: "Copy key" }).click();
  await expect(dialog).toContainText("The text is selected");
  const selected = await dialog
    .getByLabel("Key “In a LAN”")
    .evaluate((field: HTMLInputElement) => field.value.slice(field.selectionStart ?? 0, field.selectionEnd ?? 0));
  expect(selected).toBe(secret);
  await dialog.getByLabel("I have saved it").check();
  await dialog.getByRole("button", { name: "Done" }).click();
  const confirmation = await startRevoking(page, "In a LAN");
  await confirmation.getByRole("button", { name: "Revoke key" }).click();
  await expect(confirmation.getByRole("status")).toContainText("Effective since");
});

test.describe("a name that is to be typed", () => {
  for (const [what, name, typed] of [
    ["two spaces", "CI  deploy", "CI deploy"],
    ["a no-break space", "CI\u00a0deploy", "CI deploy"],
    ["decomposed letters", "Cafe\u0301", "Café"],
    ["another letter case", "Nightly", "nightly"],
    ["quotes that a keyboard corrects", "Ada's laptop", "Ada’s laptop"],
    ["a joiner that cannot be seen", "می\u200cخواهم", "میخواهم"],
  ] as const)
    test(`with ${what} can be typed as it is seen`, async ({ openAsNewUser }) => {
      const session = await openAsNewUser();
      const { page, user } = session;
      await withKeys(session, "Stored");
      await storeUses(user, "Stored", [{ hoursAgo: 0, count: 1 }]);
      await storeName(user, "Stored", name);
      await page.reload();
      await page.getByRole("button", { name: /^Revoke (?!all)/ }).click();
      const confirmation = page.getByRole("alertdialog");
      const submit = confirmation.getByRole("button", { name: "Revoke key" });
      await confirmation.getByRole("textbox").fill("something else");
      await expect(submit).toBeDisabled();
      await confirmation.getByRole("textbox").fill(typed);
      await submit.click();
      await expect(confirmation.getByRole("status")).toContainText("Effective since");
    });
});

test.describe("a clock that is wrong", () => {
  for (const [what, milliseconds] of [
    ["6 minutes behind", -360_000],
    ["an hour behind", -3_600_000],
    ["an hour ahead", 3_600_000],
  ] as const)
    test(`${what} changes no “how long ago”`, async ({ openAsNewUser }) => {
      const session = await openAsNewUser();
      const { page, user } = session;
      await withKeys(session, "Used now", "Ended now");
      await storeUses(user, "Used now", [{ hoursAgo: 0, count: 1 }]);
      await setClockWrong(page, milliseconds);
      await page.reload();
      await expect(rowOf(page, "Used now")).toContainText(/just now|1 minute ago/);
      const confirmation = await startRevoking(page, "Used now");
      await expect(confirmation).toContainText("It was used in the last 24 hours");
      await page.keyboard.press("Escape");
      await startRevoking(page, "Ended now");
      await confirmation.getByRole("button", { name: "Revoke key" }).click();
      await confirmation.getByRole("button", { name: "Done" }).click();
      await expect(revokedRowOf(page, "Ended now")).toContainText(/(just now|1 minute ago) by you/);
    });
});

test("a key that expires while one looks is shown as expired, and no longer counted", async ({ openAsNewUser }) => {
  const session = await openAsNewUser();
  const { page, user } = session;
  const [secret = ""] = await withKeys(session, "Short-lived");
  await storeSecondsToLive(user, "Short-lived", 6);
  await page.reload();
  await expect(rowOf(page, "Short-lived")).toContainText("Expires soon");
  // The page is not touched from here on.
  await expect(rowOf(page, "Short-lived")).toContainText("Expired");
  await expect(textOn(page, "0 of 5 active")).toBeVisible();
  expect(await whoami(page, secret)).toMatchObject({ status: 401, code: "api_key_expired" });
});

test.describe("keys that belong to an input method", () => {
  test("Escape takes the composition back and leaves the dialog open; Enter does not send the form", async ({
    openAsNewUser,
  }) => {
    const { page } = await openAsNewUser();
    const dialog = await startCreating(page, "");
    await dialog.getByLabel("Name").focus();
    const composition = await compose(page, "にほん");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Enter");
    await composition.end();
    // As Safari tells it: after the composition, with nothing but this code.
    await dialog.getByLabel("Name").dispatchEvent("keydown", { key: "Escape", keyCode: 229, bubbles: true });
    await expect(dialog.getByLabel("Name")).toHaveValue("にほん");
    await expect(dialog.getByRole("button", { name: "Create key" })).toBeEnabled();
    await page.keyboard.press("Enter");
    await expect(dialog.getByLabel("Key “にほん”")).toBeVisible();
  });

  test("the rename field stays open as well", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "Before");
    await page.getByRole("button", { name: "Rename Before" }).click();
    const field = page.getByRole("textbox", { name: "New name for Before" });
    await field.fill("");
    const composition = await compose(page, "東京");
    await page.keyboard.press("Escape");
    await composition.end();
    await expect(field).toHaveValue("東京");
    await page.keyboard.press("Escape");
    await expect(field).toBeHidden();
    await expect(rowOf(page, "Before")).toBeVisible();
  });
});

test("translated, slow, with a wrong clock, without a secure context and with “back”: all of the page works", async ({
  openAsNewUser,
}) => {
  test.setTimeout(120_000);
  const { page, user } = await openAsNewUser();
  await setClockWrong(page, -3_600_000);
  await loseSecureContext(page);
  await slowDown(page, 4);
  await page.reload();
  await translate(page);

  const first = await createKey(page, "Sweep one");
  await createKey(page, "Sweep two");
  await createKeyOver(page.request, user, "Sweep three");
  expect(await whoami(page, first)).toMatchObject({ status: 200 });
  await page.getByRole("button", { name: "Rename Sweep two" }).click();
  await page.getByRole("textbox", { name: "New name for Sweep two" }).fill("Swept");
  await page.keyboard.press("Enter");
  await expect(rowOf(page, "Swept")).toBeVisible();

  await page.getByRole("link", { name: "Latchkey" }).click();
  await page.getByRole("link", { name: "Manage your API keys" }).waitFor();
  await page.goBack();
  await expect(rowOf(page, "Sweep three")).toContainText("Active");
  const confirmation = await startRevoking(page, "Sweep one");
  const field = confirmation.getByRole("textbox");
  if (await field.isVisible()) await field.fill("sweep one");
  await confirmation.getByRole("button", { name: "Revoke key" }).click();
  await expect(confirmation.getByRole("status")).toContainText("Effective since");
  await confirmation.getByRole("button", { name: "Done" }).click();
  await expect(revokedRowOf(page, "Sweep one")).toContainText(/(just now|1 minute ago) by you/);

  await page.getByRole("button", { name: "Revoke all keys" }).click();
  await confirmation.getByRole("button", { name: "Revoke all" }).click();
  await expect(confirmation.getByRole("status")).toContainText("Effective since");
  await confirmation.getByRole("button", { name: "Done" }).click();
  await moveClock(page, 75_000);
  await expect(textOn(page, "0 of 5 active")).toBeVisible();
  await expect(crashed(page)).toHaveCount(0);
});
