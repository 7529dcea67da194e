import { expect } from "@playwright/test";

import { callProcedure, createKeyOver } from "../support/http-user";
import { look } from "../support/look";
import { accountButton, callOnceAs, ownerOf, showKeysOf, switchTo, test } from "../support/organization-page";
import { comeBackTo, revokedRowOf, rowOf, textOn } from "../support/settings-page";
import { changeAtSignIn } from "../support/sign-in-changes";
import { storeExpiry, storeRevokedBy, storeUses } from "../support/stored-keys";

/** Every state that an organization adds to the settings page, see `look`. */

const longName = "The Worshipful Company of Makers of Keys, Latches and Other Small Things, Northern Branch";

// Four looks at each of several states.
test.setTimeout(180_000);

test("an organization without keys, for an admin and for a member", async ({ newOrganization, newMember }) => {
  const organization = await newOrganization();
  for (const role of ["org:admin", "org:member"] as const) {
    const { page } = await newMember(organization, role);
    await showKeysOf(page, organization.name);
    await expect(textOn(page, "No keys yet")).toBeVisible();
    await look(page, `organization-empty-${role.replace("org:", "")}`);
  }
});

test("an organization's keys, some of them of who has left", async ({ newOrganization, newMember }) => {
  const organization = await newOrganization(longName);
  const leaver = await newMember(organization, "org:admin");
  const { page, acting } = await newMember(organization, "org:admin");
  const member = await newMember(organization, "org:member");
  const owner = { ...acting, userId: organization.id };
  const { request } = page;
  await createKeyOver(request, leaver.acting, "Nightly backup");
  const rotated = await createKeyOver(request, leaver.acting, "Continuous integration");
  const revoked = await createKeyOver(request, leaver.acting, "Old dashboard");
  const { secret } = await createKeyOver(request, acting, "Production");
  await callProcedure(request, acting, "rotate", {
    id: rotated.key.id,
    requestId: crypto.randomUUID(),
    graceSeconds: 0,
  });
  await callProcedure(request, acting, "revoke", { id: revoked.key.id });
  await storeRevokedBy(owner, "Old dashboard", "account");
  await storeExpiry(owner, "Production", 3);
  await storeUses(owner, "Production", [{ hoursAgo: 5, count: 12 }]);
  await leaver.leave();

  await showKeysOf(page, organization.name);
  await expect(textOn(page, "Its creator has left")).toHaveCount(2);
  await look(page, "organization-keys");
  for (const name of ["Production", "Nightly backup"]) {
    await page.getByRole("button", { name: `Usage of ${name}` }).click();
    await expect(textOn(page, "Last 30 days").last()).toBeVisible();
  }
  await expect(page.getByRole("definition").filter({ hasText: /^you$/ })).toHaveCount(1);
  await look(page, "organization-details");
  await page.getByRole("button", { name: "Revoke all keys" }).click();
  await look(page, "organization-revoke-all");

  await showKeysOf(member.page, organization.name);
  await member.page.getByRole("textbox", { name: "Key or line that contains it" }).fill(secret);
  await expect(textOn(member.page, "This is “Production”.")).toBeVisible();
  await expect(revokedRowOf(member.page, "Old dashboard")).toContainText("because its creator left");
  await look(member.page, "organization-member");
});

test("the account menu, a switch that fails, and an organization without API access", async ({
  newOrganization,
  newMember,
}) => {
  const organization = await newOrganization(longName);
  const { page, acting, leave, join } = await newMember(organization, "org:admin");
  await createKeyOver(page.request, acting, "From before");
  await accountButton(page).click();
  await expect(page.getByRole("menuitemradio", { name: longName })).toBeVisible();
  await look(page, "account-menu");
  await page.keyboard.press("Escape");
  await leave();
  await switchTo(page, organization.name);
  await expect(page.getByRole("alert").filter({ hasText: "could not be switched" })).toBeVisible();
  await look(page, "account-not-switched");
  // Before the person is back: Clerk tries the switch again by itself, and a token of before would be believed for a minute.
  await changeAtSignIn(page.request, `organizations/${organization.id}`, { features: [] });
  await join();
  await showKeysOf(page, organization.name);
  await expect(textOn(page, /^The plan of .* does not include API access$/)).toBeVisible();
  await look(page, "organization-no-access");
});

test("a page of an account that this browser no longer acts for", async ({ newOrganization, newMember }) => {
  const organization = await newOrganization();
  const { page, personal, acting, leave } = await newMember(organization, "org:admin");
  await createKeyOver(page.request, acting, "Of the organization");
  await showKeysOf(page, organization.name);
  await expect(rowOf(page, "Of the organization")).toBeVisible();
  await leave();
  await callOnceAs(page, "list", personal);
  await comeBackTo(page);
  await expect(page.getByRole("alert").filter({ hasText: "This page is of another account" })).toBeVisible();
  await expect(ownerOf(page)).toHaveCount(0);
  await look(page, "account-switched");
});
