import { expect, type Locator, type Page } from "@playwright/test";

import { rowOf, textOn, untilHydrated, whoami } from "../support/settings-page";
import { test } from "../support/signed-in";

/** Presses Tab until `target` has the focus, as a person does who cannot see how far it is. */
async function tabTo(page: Page, target: Locator) {
  for (let presses = 0; presses < 40; presses++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  await expect(target).toBeFocused();
}

test("with the keyboard alone a key is created, kept, renamed, looked at and revoked", async ({ openAsNewUser }) => {
  const { page } = await openAsNewUser();
  const button = (name: string) => page.getByRole("button", { name, exact: true });
  await page.reload();
  await untilHydrated(page);

  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("main")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "History", exact: true })).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(button("Create key")).toBeFocused();
  await page.keyboard.press("Enter");

  const dialog = page.getByRole("dialog");
  await expect(dialog.getByLabel("Name")).toBeFocused();
  await page.keyboard.type("By keyboard");
  await page.keyboard.press("Tab");
  await expect(dialog.getByRole("radio", { name: "90 days" })).toBeFocused();
  await page.keyboard.press("ArrowLeft");
  await expect(dialog.getByRole("radio", { name: "30 days" })).toBeChecked();
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowRight");
  await expect(dialog.getByRole("radio", { name: "Read only" })).toBeChecked();
  await page.keyboard.press("Enter");

  await expect(button("Copy key")).toBeFocused();
  const secret = await dialog.getByLabel("Key “By keyboard”").inputValue();
  // The focus cannot leave the dialog.
  for (let presses = 0; presses < 15; presses++) {
    await page.keyboard.press("Tab");
    expect(await dialog.evaluate((element) => element.contains(document.activeElement))).toBe(true);
  }
  await tabTo(page, dialog.getByLabel("I have saved it"));
  await page.keyboard.press("Space");
  await page.keyboard.press("Tab");
  await expect(button("Done")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(button("Create key")).toBeFocused();
  expect(await whoami(page, secret)).toMatchObject({ status: 200, scopes: ["projects:read", "reports:read"] });

  await page.keyboard.press("Tab");
  await expect(button("Usage of By keyboard")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(textOn(page, "Last 30 days")).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.getByText("Last 30 days")).toBeHidden();
  await page.keyboard.press("Tab");
  await expect(button("Rename By keyboard")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("textbox", { name: "New name for By keyboard" })).toBeFocused();
  await page.keyboard.type("Renamed");
  await page.keyboard.press("Enter");
  await expect(button("Rename Renamed")).toBeFocused();

  await page.keyboard.press("Tab");
  await expect(button("Rotate Renamed")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(button("Revoke Renamed")).toBeFocused();
  await page.keyboard.press("Enter");
  const confirmation = page.getByRole("alertdialog");
  await expect(confirmation.getByRole("button", { name: "Cancel" })).toBeFocused();
  // It was used a moment ago; the count of uses may not have been written yet.
  const field = confirmation.getByRole("textbox");
  if (await field.isVisible()) {
    await tabTo(page, field);
    await page.keyboard.type("Renamed");
  }
  await tabTo(page, confirmation.getByRole("button", { name: "Revoke key" }));
  await page.keyboard.press("Enter");
  await expect(confirmation.getByRole("status")).toContainText("Effective since");
  await expect(button("Done")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "API keys", exact: true })).toBeFocused();
  await expect(rowOf(page, "Renamed")).toBeHidden();
  expect(await whoami(page, secret)).toMatchObject({ code: "api_key_revoked" });
});
