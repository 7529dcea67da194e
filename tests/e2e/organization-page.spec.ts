import { expect, type Page } from "@playwright/test";

import { translate } from "../support/browser-conditions";
import { callProcedure, createKeyOver, type HttpUser, newHttpUser } from "../support/http-user";
import { accountButton, callOnceAs, ownerOf, showKeysOf, switchTo, test } from "../support/organization-page";
import {
  comeBackTo,
  createAndReveal,
  createKey,
  revokedRowOf,
  rowOf,
  startRevoking,
  textOn,
  whoami,
} from "../support/settings-page";
import { signIn, test as withUsers } from "../support/signed-in";
import { storeRevokedBy } from "../support/stored-keys";

const namesOf = async (page: Page, user: HttpUser) =>
  ((await callProcedure(page.request, user, "list")).result as { keys: { name: string }[] }).keys.map(
    ({ name }) => name,
  );

/** A call past the page's buttons, with all that the browser would send. */
const callDirectly = (page: Page, procedure: string, input: object, owner: string) =>
  page.evaluate(
    async ([path, json, expected]) => {
      const headers = { "content-type": "application/json", "x-expected-owner": expected };
      const answer = await fetch(`/api/trpc/apiKeys.${path}`, {
        method: "POST",
        headers,
        body: JSON.stringify({ json }),
      });
      return [answer.status, await answer.text()] as const;
    },
    [procedure, input, owner] as const,
  );

test("the admin of Acme creates a key for it; a member sees the key, is told why it cannot be changed, and is refused", async ({
  newOrganization,
  newMember,
}) => {
  const acme = await newOrganization("Acme");
  const { page: admin } = await newMember(acme, "org:admin");
  const { page: member } = await newMember(acme, "org:member");
  await expect(ownerOf(admin)).toContainText("Personal");
  await showKeysOf(admin, "Acme");
  const secret = await createKey(admin, "Deployments");
  expect(await whoami(admin, secret)).toMatchObject({ status: 200, ownerId: acme.id });
  await admin.getByRole("button", { name: "Usage of Deployments" }).click();
  await expect(admin.getByRole("definition").filter({ hasText: /^you$/ })).toBeVisible();

  await expect(ownerOf(member)).toContainText("Personal");
  await expect(textOn(member, "Deployments")).toHaveCount(0);
  await showKeysOf(member, "Acme");
  await expect(rowOf(member, "Deployments")).toContainText("Active");
  await expect(textOn(member, "Your role lets you see the keys of Acme, but not change them.")).toBeVisible();
  const main = member.getByRole("main");
  await expect(main.getByRole("button", { name: /create|rename|rotate|revoke/i })).toHaveCount(0);
  await expect(member.getByRole("columnheader", { name: "Actions" })).toHaveCount(0);
  await member.getByRole("button", { name: "Usage of Deployments" }).click();
  await expect(member.getByRole("definition").filter({ hasText: /^user_\w+…\w+$/ })).toBeVisible();
  await member.getByRole("textbox", { name: "Key or line that contains it" }).fill(secret);
  await expect(textOn(member, "This is “Deployments”.")).toBeVisible();
  await expect(textOn(member, "ask an admin of Acme to revoke it")).toBeVisible();
  await expect(main.getByRole("button", { name: /revoke/i })).toHaveCount(0);

  const id = (await rowOf(member, "Deployments").getAttribute("id"))?.replace("row-", "") ?? "";
  const requestId = crypto.randomUUID();
  for (const [procedure, input] of [
    ["create", { name: "Mine", requestId }],
    ["rename", { id, name: "Mine" }],
    ["rotate", { id, requestId, graceSeconds: 0 }],
    ["revoke", { id }],
    ["revokeAll", {}],
  ] as const) {
    const [status, answer] = await callDirectly(member, procedure, input, acme.id);
    expect([procedure, status]).toEqual([procedure, 403]);
    expect(answer).toContain("ORG_PERMISSION_REQUIRED");
  }
  expect(await whoami(member, secret)).toMatchObject({ status: 200 });

  const confirmation = await startRevoking(admin, "Deployments");
  const field = confirmation.getByRole("textbox");
  if (await field.isVisible()) await field.fill("Deployments");
  await confirmation.getByRole("button", { name: "Revoke key" }).click();
  await confirmation.getByRole("button", { name: "Done" }).click();
  await expect(revokedRowOf(admin, "Deployments")).toContainText("by a member");
  await comeBackTo(member);
  await expect(revokedRowOf(member, "Deployments")).toContainText("by a member");
  await showKeysOf(admin, "Personal account");
  await expect(textOn(admin, "Deployments")).toHaveCount(0);
});

test("who loses the permission while the page is open is told so, and the page follows", async ({
  newOrganization,
  newMember,
}) => {
  const organization = await newOrganization();
  const { page } = await newMember(organization, "org:member");
  await showKeysOf(page, organization.name);
  // As the list was told to an admin.
  await page.route("**/api/trpc/apiKeys.list*", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replace('"canManage":false', '"canManage":true') });
  });
  await comeBackTo(page);
  await page.getByRole("button", { name: "Create key", exact: true }).click();
  await page.unrouteAll();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Too late");
  await dialog.getByRole("button", { name: "Create key" }).click();
  await expect(dialog.getByRole("alert")).toContainText("Ask one of its admins.");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Create key", exact: true })).toHaveCount(0);
});

test.describe("after a switch", () => {
  test("a tab that is still open in the other account shows and changes that account's keys alone", async ({
    newOrganization,
    newMember,
  }) => {
    const organization = await newOrganization();
    const { page: first, context, personal, acting } = await newMember(organization, "org:admin");
    await createKeyOver(first.request, personal, "Of the person");
    await createKeyOver(first.request, acting, "Of the organization");
    await first.reload();
    const second = await context.newPage();
    await second.goto("/settings/api-keys");
    await showKeysOf(second, organization.name);
    await expect(rowOf(second, "Of the organization")).toBeVisible();
    await expect(textOn(second, "Of the person")).toHaveCount(0);

    await createKey(first, "From the first tab");
    await comeBackTo(first);
    await expect(rowOf(first, "Of the person")).toContainText("Active");
    await expect(ownerOf(first)).toContainText("Personal");
    await expect(textOn(first, "Of the organization")).toHaveCount(0);
    expect(await namesOf(first, personal)).toEqual(["From the first tab", "Of the person"]);

    await createKey(second, "From the second tab");
    expect(await namesOf(first, acting)).toEqual(["From the second tab", "Of the organization"]);
    expect(await namesOf(first, personal)).toEqual(["From the first tab", "Of the person"]);
  });

  test("a tab whose account cannot be acted for any more says so, keeps the secret on its screen, and loads the active account", async ({
    newOrganization,
    newMember,
  }) => {
    const organization = await newOrganization();
    const { page: first, context, personal, leave } = await newMember(organization, "org:admin");
    await createKeyOver(first.request, personal, "Of the person");
    await showKeysOf(first, organization.name);
    const { dialog, secret } = await createAndReveal(first, "Just made");
    const second = await context.newPage();
    await second.goto("/settings/api-keys");
    await showKeysOf(second, "Personal account");
    await leave();
    // The second tab is in front, so the cookie is of its account.
    await callOnceAs(first, "list", personal);
    await comeBackTo(first);
    const told = first.locator("[role=alert]", { hasText: "This page is of another account" });
    await expect(told).toBeVisible();
    await expect(dialog.getByLabel("Key “Just made”")).toHaveValue(secret);
    await dialog.getByLabel("I have saved it").check();
    await dialog.getByRole("button", { name: "Done" }).click();
    await expect(textOn(first, "Just made")).toHaveCount(0);
    await told.getByRole("link", { name: "Load the page again" }).click();
    await expect(ownerOf(first)).toContainText("Personal");
    await expect(rowOf(first, "Of the person")).toContainText("Active");
    await expect(textOn(first, "Just made")).toHaveCount(0);
  });

  test("a secret on the screen stays there, when something else in the tab switches", async ({
    newOrganization,
    newMember,
  }) => {
    const organization = await newOrganization();
    const { page, personal } = await newMember(organization, "org:admin");
    const { dialog, secret } = await createAndReveal(page, "Just made");
    // As another part of the app may do; the dialog keeps the account menu out of reach.
    await page.evaluate(
      (id) => (window as unknown as ClerkWindow).Clerk.setActive({ organization: id }),
      organization.id,
    );
    await expect(ownerShownBehind(page)).toContainText(organization.name);
    await expect(dialog.getByLabel("Key “Just made”")).toHaveValue(secret);
    await dialog.getByLabel("I have saved it").check();
    await dialog.getByRole("button", { name: "Done" }).click();
    await expect(ownerOf(page)).toContainText(organization.name);
    await expect(textOn(page, "Just made")).toHaveCount(0);
    expect(await namesOf(page, personal)).toEqual(["Just made"]);
  });

  test("a page of an organization that its reader has left does not call them signed out", async ({
    newOrganization,
    newMember,
  }) => {
    const organization = await newOrganization();
    const { page, userId, leave } = await newMember(organization, "org:member");
    await showKeysOf(page, organization.name);
    await leave();
    // The token of the organization has ended, and there is no new one.
    const claims = { id: organization.id, role: "org:member", features: ["api_access"] };
    await callOnceAs(page, "list", await newHttpUser({ userId, organization: claims, expiresInSeconds: -60 }));
    await comeBackTo(page);
    await expect(page.getByRole("alert").filter({ hasText: "This page is of another account" })).toBeVisible();
    await page.getByRole("link", { name: "Load the page again" }).click();
    await expect(ownerOf(page)).toContainText("Personal");
  });

  for (const [way, leave] of [
    ["inside of the site", (page: Page) => page.getByRole("link", { name: "Latchkey" }).click()],
    ["by a new document", (page: Page) => page.goto("/")],
  ] as const)
    test(`“back” and “forward” ${way} never show the keys of the account before it`, async ({
      newOrganization,
      newMember,
    }) => {
      const organization = await newOrganization();
      const { page, personal, acting } = await newMember(organization, "org:admin");
      await createKeyOver(page.request, personal, "Of the person");
      await createKeyOver(page.request, acting, "Of the organization");
      await page.reload();
      await expect(rowOf(page, "Of the person")).toBeVisible();
      await leave(page);
      await page.getByRole("link", { name: "Manage your API keys" }).waitFor();
      await switchTo(page, organization.name);
      await expect.poll(() => activeIn(page)).toBe(organization.id);
      const seen = await watchFor(page, "Of the person");
      await page.goBack();
      await expect(ownerOf(page)).toContainText(organization.name);
      await expect(rowOf(page, "Of the organization")).toContainText("Active");
      expect(await seen()).toBe(false);

      await showKeysOf(page, "Personal account");
      await expect(rowOf(page, "Of the person")).toBeVisible();
      const seenAfter = await watchFor(page, "Of the organization");
      await page.goForward();
      await page.getByRole("link", { name: "Manage your API keys" }).waitFor();
      await page.goBack();
      await expect(ownerOf(page)).toContainText("Personal");
      await expect(rowOf(page, "Of the person")).toContainText("Active");
      expect(await seenAfter()).toBe(false);
    });

  test("a page that the browser translates shows the other account's keys", async ({ newOrganization, newMember }) => {
    const organization = await newOrganization();
    const { page, acting } = await newMember(organization, "org:admin");
    await createKeyOver(page.request, acting, "Of the organization");
    await translate(page);
    await showKeysOf(page, organization.name);
    await expect(rowOf(page, "Of the organization")).toContainText("Active");
    await showKeysOf(page, "Personal account");
    await expect(textOn(page, "No keys yet")).toBeVisible();
    await expect(textOn(page, "Something went wrong")).toHaveCount(0);
  });
});

test("the keys of who has left are pointed out with the reason, until they join again", async ({
  newOrganization,
  newMember,
}) => {
  const organization = await newOrganization();
  const leaver = await newMember(organization, "org:admin");
  const { page, acting } = await newMember(organization, "org:admin");
  const { key } = await createKeyOver(page.request, leaver.acting, "Of the leaver");
  await createKeyOver(page.request, acting, "Of another");
  await showKeysOf(page, organization.name);
  await expect(rowOf(page, "Of the leaver")).toBeVisible();
  const hint = textOn(page, "Its creator has left");
  await expect(hint).toHaveCount(0);
  await leaver.leave();
  await comeBackTo(page);
  await expect(hint).toHaveCount(1);
  await expect(textOn(page, "Who has left may still know the secret, so the key should be rotated.")).toBeVisible();
  await callProcedure(page.request, acting, "rotate", { id: key.id, requestId: crypto.randomUUID(), graceSeconds: 0 });
  await comeBackTo(page);
  await expect(textOn(page, /unless the key was rotated after that/)).toBeVisible();
  await leaver.join();
  await comeBackTo(page);
  await expect(hint).toHaveCount(0);

  // A key that can no longer be used needs no hint.
  await leaver.leave();
  await callProcedure(page.request, acting, "revoke", { id: key.id });
  await storeRevokedBy({ ...acting, userId: organization.id }, "Of the leaver", "account");
  await comeBackTo(page);
  await expect(revokedRowOf(page, "Of the leaver")).toContainText("because its creator left");
  await expect(hint).toHaveCount(0);
});

test("all keys of an organization are revoked as its keys, and not as one's own", async ({
  newOrganization,
  newMember,
}) => {
  const organization = await newOrganization();
  const { page, acting } = await newMember(organization, "org:admin");
  for (const name of ["One", "Two"]) await createKeyOver(page.request, acting, name);
  await showKeysOf(page, organization.name);
  await page.getByRole("button", { name: "Revoke all keys" }).click();
  const confirmation = page.getByRole("alertdialog");
  await expect(confirmation).toHaveAccessibleName("Revoke all 2 keys of Umbrella?");
  await confirmation.getByRole("button", { name: "Revoke all" }).click();
  await expect(confirmation).toHaveAccessibleName("All 2 keys of Umbrella are revoked");
});

test("with the keyboard alone the account is switched, and the focus stays at the menu's button", async ({
  newOrganization,
  newMember,
}) => {
  const organization = await newOrganization();
  const { page } = await newMember(organization, "org:admin");
  const item = (name: string) => page.getByRole("menuitemradio", { name, exact: true });
  await accountButton(page).focus();
  await page.keyboard.press("Enter");
  await expect(item("Personal account")).toBeFocused();
  await expect(item("Personal account")).toBeChecked();
  await expect(item(organization.name)).not.toBeChecked();
  await page.keyboard.press("ArrowDown");
  await expect(item(organization.name)).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(ownerOf(page)).toContainText(organization.name);
  await expect(accountButton(page)).toBeFocused();

  await page.keyboard.press("ArrowDown");
  await expect(item(organization.name)).toBeChecked();
  await page.keyboard.press("Escape");
  await expect(accountButton(page)).toBeFocused();
  await expect(ownerOf(page)).toContainText(organization.name);
  await page.keyboard.press("Enter");
  await page.keyboard.press("p");
  await expect(item("Personal account")).toBeFocused();
  await page.keyboard.press("Space");
  await expect(ownerOf(page)).toContainText("Personal");
  await expect(accountButton(page)).toBeFocused();
});

test("a switch that fails is told, and the page stays with its account", async ({ newOrganization, newMember }) => {
  const organization = await newOrganization();
  const { page, leave } = await newMember(organization, "org:admin");
  await leave();
  await switchTo(page, organization.name);
  await expect(page.getByRole("alert").filter({ hasText: "could not be switched" })).toBeVisible();
  await expect(ownerOf(page)).toContainText("Personal");
});

withUsers("a person without an organization has no choice of accounts", async ({ openAsNewUser }) => {
  const { page } = await openAsNewUser({ hasAccess: false });
  await accountButton(page).click();
  await expect(page.getByRole("menuitem", { name: "Sign out" })).toBeFocused();
  await expect(page.getByRole("menuitemradio")).toHaveCount(0);
});

withUsers("who has just signed in starts in the personal account", async ({ browser }) => {
  const page = await browser.newPage();
  await page.goto("/settings/api-keys");
  await signIn(page, "ada@example.test");
  await expect(ownerOf(page)).toContainText("Personal");
  await accountButton(page).click();
  await expect(page.getByRole("menuitemradio", { name: "Personal account" })).toBeChecked();
  await page.close();
});

type ClerkWindow = {
  Clerk: {
    organization: { id: string } | null;
    setActive(options: { organization: string | null }): Promise<void>;
  };
};

const activeIn = (page: Page) => page.evaluate(() => (window as unknown as ClerkWindow).Clerk.organization?.id);

/** Behind a dialog the page has no roles. */
const ownerShownBehind = (page: Page) => page.locator("main p").filter({ hasText: /^Account:/ });

/** Notes from now on whether a text is ever on the screen, also in the documents that follow. */
async function watchFor(page: Page, text: string) {
  let isSeen = false;
  const name = `note${crypto.randomUUID().replaceAll("-", "")}`;
  await page.exposeFunction(name, () => (isSeen = true));
  const start = ([noteName, wanted]: readonly [string, string]) => {
    const note = (globalThis as unknown as Record<string, () => void>)[noteName];
    const look = () => {
      if ((document.body as HTMLElement | null)?.innerText.includes(wanted)) note?.();
    };
    new MutationObserver(look).observe(document, { childList: true, characterData: true, subtree: true });
  };
  await page.addInitScript(start, [name, text] as const);
  await page.evaluate(start, [name, text] as const);
  return () => Promise.resolve(isSeen);
}
