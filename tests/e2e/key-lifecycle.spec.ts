import { expect } from "@playwright/test";

import { createKeyOver } from "../support/http-user";
import {
  createAndReveal,
  createKey,
  revokedRowOf,
  rowOf,
  startCreating,
  startRevoking,
  textOn,
  whoami,
} from "../support/settings-page";
import { test } from "../support/signed-in";

test.describe("a key's life on the settings page", () => {
  test("a key works from its creation until it is revoked, and is refused from then on", async ({ openAsNewUser }) => {
    const { page } = await openAsNewUser();
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);

    const { dialog, secret } = await createAndReveal(page, "Story");
    await dialog.getByRole("button", { name: "Copy key" }).click();
    await expect(dialog.getByRole("status").last()).toHaveText("Copied to the clipboard.");
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
    await dialog.getByRole("button", { name: "Done" }).click();
    await expect(rowOf(page, "Story")).toContainText("Active");
    await expect(textOn(page, "1 of 5 active")).toBeVisible();
    expect(await whoami(page, secret)).toMatchObject({ status: 200, name: "Story" });

    await page.getByRole("button", { name: "Rename Story" }).click();
    await page.getByRole("textbox", { name: "New name for Story" }).fill("Renamed story");
    await page.keyboard.press("Enter");
    await expect(rowOf(page, "Renamed story")).toBeVisible();
    expect(await whoami(page, secret)).toMatchObject({ status: 200, name: "Renamed story" });

    const confirmation = await startRevoking(page, "Renamed story");
    const field = confirmation.getByRole("textbox");
    if (await field.isVisible()) await field.fill("Renamed story");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(confirmation.getByRole("status")).toContainText("No request that starts from now on is accepted.");
    expect(await whoami(page, secret)).toMatchObject({ status: 401, code: "api_key_revoked" });
    await confirmation.getByRole("button", { name: "Done" }).click();
    await expect(rowOf(page, "Renamed story")).toBeHidden();
    await expect(revokedRowOf(page, "Renamed story")).toContainText("Since");
  });

  test("expiry and permissions are as chosen, 90 days and all by default", async ({ openAsNewUser }) => {
    const { page } = await openAsNewUser();
    const chosen = await startCreating(page, "Chosen");
    await expect(chosen.getByRole("radio", { name: "90 days" })).toBeChecked();
    await expect(chosen.getByRole("radio", { name: "All" })).toBeChecked();
    await chosen.getByText("Never", { exact: true }).click();
    await chosen.getByText("Custom", { exact: true }).click();
    await chosen.getByRole("checkbox", { name: "Read projects" }).uncheck();
    await chosen.getByRole("button", { name: "Create key" }).click();
    const secret = await chosen.getByLabel("Key “Chosen”").inputValue();
    expect(await whoami(page, secret)).toMatchObject({ scopes: ["reports:read"], expiresAt: null });
  });

  test("a key cannot be created without a name or permissions, and what was entered stays", async ({
    openAsNewUser,
  }) => {
    const { page } = await openAsNewUser();
    const dialog = await startCreating(page, "   ");
    const name = dialog.getByLabel("Name");
    await dialog.getByRole("button", { name: "Create key" }).click();
    await expect(name).toHaveAccessibleDescription("Enter a name.");
    await expect(name).toBeFocused();
    await name.fill("x".repeat(65));
    await page.keyboard.press("Enter");
    await expect(name).toHaveAccessibleDescription("Use at most 64 characters.");
    await name.fill("Fine");
    await dialog.getByText("Custom", { exact: true }).click();
    for (const name of ["Read projects", "Read reports"]) await dialog.getByRole("checkbox", { name }).uncheck();
    await dialog.getByRole("button", { name: "Create key" }).click();
    await expect(dialog.getByText("Choose at least one permission.")).toBeVisible();
    await expect(name).toHaveValue("Fine");
    await page.keyboard.press("Escape");
    await expect(textOn(page, "0 of 5 active")).toBeVisible();
  });

  test("at the limit the button explains instead of failing", async ({ openAsNewUser }) => {
    const { page, user } = await openAsNewUser();
    for (const name of ["One", "Two", "Three", "Four", "Five"]) await createKeyOver(page.request, user, name);
    await page.reload();
    await expect(textOn(page, "5 of 5 active")).toBeVisible();
    await page.getByRole("button", { name: "Create key", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "You have 5 active keys, the most that are allowed" });
    await expect(dialog).toHaveAccessibleDescription(/Revoke a key/);
    await dialog.getByRole("button", { name: "Close" }).click();
    await expect(page.getByRole("button", { name: "Create key", exact: true })).toBeFocused();
  });

  test("a creation whose answer was lost is repeated into one key with a working secret", async ({ openAsNewUser }) => {
    const { page } = await openAsNewUser();
    let isFirst = true;
    await page.route("**/api/trpc/apiKeys.create*", async (route) => {
      if (!isFirst) return route.continue();
      isFirst = false;
      await route.fetch();
      return route.abort();
    });
    const dialog = await startCreating(page, "Lost");
    await dialog.getByRole("button", { name: "Create key" }).click();
    await expect(dialog.getByRole("alert")).toContainText("you will not get a second key");
    await expect(dialog.getByLabel("Name")).toHaveValue("Lost");
    await dialog.getByRole("button", { name: "Create key" }).click();
    const secret = await dialog.getByLabel("Key “Lost”").inputValue();
    expect(await whoami(page, secret)).toMatchObject({ status: 200, name: "Lost" });
    await dialog.getByLabel("I have saved it").check();
    await dialog.getByRole("button", { name: "Done" }).click();
    await expect(textOn(page, "1 of 5 active")).toBeVisible();
  });

  test("after a lost answer another input is refused once, and then makes a key of its own", async ({
    openAsNewUser,
  }) => {
    const { page } = await openAsNewUser();
    let isFirst = true;
    await page.route("**/api/trpc/apiKeys.create*", async (route) => {
      if (!isFirst) return route.continue();
      isFirst = false;
      await route.fetch();
      return route.abort();
    });
    const dialog = await startCreating(page, "Before");
    const submit = dialog.getByRole("button", { name: "Create key" });
    await submit.click();
    await expect(dialog.getByRole("alert")).toBeVisible();
    await dialog.getByLabel("Name").fill("After");
    await submit.click();
    await expect(dialog.getByRole("alert")).toContainText("An earlier attempt has already created a key");
    await submit.click();
    expect(await whoami(page, await dialog.getByLabel("Key “After”").inputValue())).toMatchObject({ name: "After" });
    await expect(textOn(page, "2 of 5 active")).toBeVisible();
  });

  test("a name is changed in place by Enter, restored by Escape, and refused on the field", async ({
    openAsNewUser,
  }) => {
    const { page } = await openAsNewUser();
    await createKey(page, "Original");
    const rename = page.getByRole("button", { name: "Rename Original" });
    const field = page.getByRole("textbox", { name: "New name for Original" });

    await rename.click();
    await expect(field).toBeFocused();
    await field.fill("Discarded");
    await page.keyboard.press("Escape");
    await expect(rename).toBeFocused();
    await expect(rowOf(page, "Original")).toBeVisible();

    await page.keyboard.press("Enter");
    await field.fill("  ");
    await page.keyboard.press("Enter");
    await expect(field).toHaveAccessibleDescription("Enter a name.");
    await field.fill("Changed");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("button", { name: "Rename Changed" })).toBeFocused();
    await expect(textOn(page, "Renamed to “Changed”")).toBeVisible();
    await page.reload();
    await expect(rowOf(page, "Changed")).toBeVisible();
  });
});
