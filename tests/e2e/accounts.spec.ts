import { expect, test as base } from "@playwright/test";

import { callProcedure, createKeyOver } from "../support/http-user";
import {
  loseSession,
  rowOf,
  startCreating,
  startRevoking,
  textOn,
  untilHydrated,
  withKeys,
} from "../support/settings-page";
import { loseAccess, signIn, test } from "../support/signed-in";

test.describe("accounts", () => {
  test("two users do not see each other's keys, and cannot revoke or rename them by id", async ({ openAsNewUser }) => {
    const ada = await openAsNewUser();
    const grace = await openAsNewUser();
    const { key } = await createKeyOver(ada.page.request, ada.user, "Of Ada");
    await createKeyOver(grace.page.request, grace.user, "Of Grace");
    await ada.page.reload();
    await grace.page.reload();
    await expect(rowOf(ada.page, "Of Ada")).toBeVisible();
    await expect(rowOf(grace.page, "Of Grace")).toBeVisible();
    await expect(grace.page.getByText("Of Ada")).toHaveCount(0);
    await expect(ada.page.getByText("Of Grace")).toHaveCount(0);

    const { request } = grace.page;
    for (const [procedure, input] of [
      ["revoke", { id: key.id }],
      ["rename", { id: key.id, name: "Taken" }],
      ["effect", { id: key.id }],
    ] as const) {
      const answer = await callProcedure(request, grace.user, procedure, input);
      expect(answer).toMatchObject({ status: 404, error: { data: { domainCode: "API_KEY_NOT_FOUND" } } });
    }
    await ada.page.reload();
    await expect(rowOf(ada.page, "Of Ada")).toContainText("Active");
  });

  test("without API access a user is told why keys cannot be created, and can still open the page", async ({
    openAsNewUser,
  }) => {
    const { page } = await openAsNewUser({ hasAccess: false });
    await expect(textOn(page, "Your plan does not include API access")).toBeVisible();
    await page.getByRole("button", { name: "Create key", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Your plan does not include API access" });
    await expect(dialog).toHaveAccessibleDescription(/change your plan/);
    await expect(dialog.getByRole("textbox")).toHaveCount(0);
  });

  test("after a plan has lost API access a key can still be revoked", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "From before");
    await loseAccess(session);
    await expect(textOn(page, "Your plan does not include API access")).toBeVisible();
    const confirmation = await startRevoking(page, "From before");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(confirmation.getByRole("status")).toContainText("Effective since");
  });

  test("the list comes with the page, without a call from the browser, and does not wait for clerk-js", async ({
    openAsNewUser,
  }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "Streamed");
    const calls: string[] = [];
    page.on("request", (request) => calls.push(new URL(request.url()).pathname));
    // It never comes.
    await page.route(/clerk-js@/, () => new Promise(() => {}));
    await page.reload({ waitUntil: "commit" });
    await expect(rowOf(page, "Streamed")).toBeVisible();
    await expect(page.getByRole("button", { name: "Revoke Streamed" })).toBeEnabled();
    expect(calls.filter((path) => path.startsWith("/api/"))).toEqual([]);
    await page.unrouteAll({ behavior: "ignoreErrors" });
  });

  test("a page that was made for one account cannot act for another that has signed in since", async ({
    openAsNewUser,
  }) => {
    const ada = await openAsNewUser();
    const grace = await openAsNewUser();
    await withKeys(ada, "Of Ada");
    // It never comes: every few seconds it would write the first account's cookie back, and the call would be that account's again.
    await ada.page.route(/clerk-js@/, () => new Promise(() => {}));
    await ada.page.reload({ waitUntil: "commit" });
    await expect(rowOf(ada.page, "Of Ada")).toBeVisible();
    await untilHydrated(ada.page);
    // As when the second account signs in in another tab, before this one has noticed.
    await ada.page.context().clearCookies();
    await ada.page.context().addCookies(await grace.page.context().cookies());
    const dialog = await startCreating(ada.page, "Whose?");
    const answered = ada.page.waitForResponse("**/api/trpc/apiKeys.create*");
    await dialog.getByRole("button", { name: "Create key" }).click();
    expect((await answered).status()).toBe(401);
    await ada.page.unrouteAll({ behavior: "ignoreErrors" });
    const { result } = await callProcedure(grace.page.request, grace.user, "list");
    expect(
      (result as { keys: { name: string; status: string }[] }).keys.filter(({ name }) => name === "Whose?"),
    ).toEqual([]);
  });

  test("after a sign-out and a sign-in as somebody else nothing of the first account is shown", async ({
    openAsNewUser,
  }) => {
    const { page, user, email } = await openAsNewUser();
    const other = await openAsNewUser();
    await createKeyOver(page.request, user, "Of the first");
    await page.context().clearCookies();
    await page.goto("/settings/api-keys");
    await signIn(page, email);
    await expect(rowOf(page, "Of the first")).toBeVisible();

    await page.getByRole("button", { name: "Account" }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.waitForURL("/");
    await page.getByRole("link", { name: "Manage your API keys" }).click();
    await signIn(page, other.email);
    await expect(textOn(page, /of 5 active/)).toBeVisible();
    await page.getByRole("button", { name: "Account" }).click();
    await expect(textOn(page, other.email)).toBeVisible();
    await expect(page.getByText("Of the first")).toHaveCount(0);
  });
});

base("a visitor who is signed out is sent to sign in, and then back to the keys", async ({ page }) => {
  await page.goto("/settings/api-keys");
  await expect(page).toHaveURL(/\/sign-in\?redirect_url=/);
  await signIn(page, "linus@example.test");
  await expect(page).toHaveURL("/settings/api-keys");
  await expect(page.getByRole("heading", { name: "API keys", exact: true })).toBeVisible();
});

base("a session that ends while the page is open is told, and its keys are no longer shown", async ({ page }) => {
  await page.goto("/settings/api-keys");
  await signIn(page, "linus@example.test");
  await expect(textOn(page, /of 5 active/)).toBeVisible();
  await loseSession(page);
  await expect(page.getByRole("table")).toHaveCount(0);
  await page.getByRole("link", { name: "Sign in" }).first().click();
  await expect(page).toHaveURL(/\/sign-in/);
});
