import { expect } from "@playwright/test";

import { createKey, rowOf, startRevoking, textOn } from "../support/settings-page";
import { test } from "../support/signed-in";

test.use({ viewport: { width: 360, height: 640 }, hasTouch: true });

test("on a phone a key is created, read and revoked without scrolling sideways", async ({ openAsNewUser }) => {
  const { page } = await openAsNewUser();
  const expectToFit = async () => {
    const overhang = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overhang).toBe(0);
  };
  await createKey(page, "A key with a name that is longer than the screen is wide");
  await expectToFit();
  const row = rowOf(page, "A key with a name");
  await expect(row.getByText("Active").filter({ visible: true })).toBeVisible();
  await expect(row.getByText(/^lk_test_/).filter({ visible: true })).toBeVisible();
  await expect(row.getByText(/Never used/)).toBeVisible();
  for (const button of await row.getByRole("button").all()) {
    const box = await button.boundingBox();
    expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(24);
  }
  const confirmation = await startRevoking(page, "A key with a name that is longer than the screen is wide");
  await confirmation.getByRole("button", { name: "Revoke key" }).tap();
  await expect(confirmation.getByRole("status")).toContainText("Effective since");
  await expectToFit();
  await confirmation.getByRole("button", { name: "Done" }).tap();
  await expect(textOn(page, "0 of 5 active")).toBeVisible();
});
