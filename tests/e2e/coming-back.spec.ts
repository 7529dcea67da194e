import { expect, type Page, request as apiRequest } from "@playwright/test";

import { moveClock, setClockWrong } from "../support/browser-conditions";
import { createGate } from "../support/gate";
import { callProcedure, createKeyOver, newHttpUser } from "../support/http-user";
import { comeBackTo, createKey, revokedRowOf, rowOf, startRevoking, textOn, withKeys } from "../support/settings-page";
import { test } from "../support/signed-in";

interface WayBack {
  name: string;
  /** Done before the page is looked at for the first time. */
  prepare?: (page: Page) => Promise<unknown>;
  leave?: (page: Page) => Promise<unknown>;
  comeBack: (page: Page) => Promise<unknown>;
}

const heading = (page: Page) => page.getByRole("heading", { name: "API keys", exact: true });
const startLink = (page: Page) => page.getByRole("link", { name: "Manage your API keys" });

const waysBack: WayBack[] = [
  {
    name: "the browser's “back”",
    async leave(page) {
      await page.getByRole("link", { name: "Latchkey" }).click();
      await startLink(page).waitFor();
    },
    comeBack: (page) => page.goBack({ waitUntil: "commit" }),
  },
  {
    name: "the browser's “forward”",
    async prepare(page) {
      await page.goto("/");
      await startLink(page).click();
      await heading(page).waitFor();
    },
    async leave(page) {
      await page.goBack();
      await startLink(page).waitFor();
    },
    comeBack: (page) => page.goForward({ waitUntil: "commit" }),
  },
  {
    name: "a tab that is looked at again",
    comeBack: (page) => page.evaluate(() => document.dispatchEvent(new Event("visibilitychange"))),
  },
  {
    name: "the browser's page cache",
    comeBack: (page) =>
      page.evaluate(() => window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))),
  },
  {
    name: "a machine that slept with the page in front",
    async prepare(page) {
      await setClockWrong(page, 0);
      await page.reload();
    },
    comeBack: (page) => moveClock(page, 75_000),
  },
];

/** Holds the list's answers back, so that what is shown before them can be looked at. */
async function holdList(page: Page) {
  const gate = createGate();
  await page.route("**/api/trpc/apiKeys.list*", async (route) => {
    await gate.opened;
    await route.continue();
  });
  return gate;
}

async function expectNothingCalledActive(page: Page, name: string) {
  await expect(rowOf(page, name)).toContainText("Checking…");
  await expect(textOn(page, "Active")).toHaveCount(0);
  await expect(textOn(page, /of 5 active/)).toHaveCount(0);
}

test.describe("a page that comes back asks the server before it calls a key active", () => {
  for (const { name, prepare, leave, comeBack } of waysBack)
    test(`by ${name}`, async ({ openAsNewUser }) => {
      const session = await openAsNewUser();
      const { page, user } = session;
      await withKeys(session, "Kept");
      const { key } = await createKeyOver(page.request, user, "Gone");
      await page.reload();
      await prepare?.(page);
      await expect(rowOf(page, "Gone")).toContainText("Active");
      await leave?.(page);
      await callProcedure(page.request, user, "revoke", { id: key.id });
      const gate = await holdList(page);
      await comeBack(page);
      await expectNothingCalledActive(page, "Gone");
      gate.open();
      await expect(revokedRowOf(page, "Gone")).toBeVisible();
      await expect(rowOf(page, "Kept")).toContainText("Active");
      await expect(textOn(page, "1 of 5 active")).toBeVisible();
    });

  test("and says so when the server cannot be asked", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "Unknown");
    await page.route("**/api/trpc/apiKeys.list*", (route) => route.abort());
    await comeBackTo(page);
    await expect(textOn(page, "This list could not be refreshed")).toBeVisible();
    await expect(rowOf(page, "Unknown")).toContainText("Not checked");
    await expect(textOn(page, "Active")).toHaveCount(0);
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(rowOf(page, "Unknown")).toContainText("Active");
  });

  test("a window beside it learns of a revocation without being touched", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "Shared");
    const beside = await page.context().newPage();
    await beside.goto("/settings/api-keys");
    await expect(rowOf(beside, "Shared")).toContainText("Active");
    const confirmation = await startRevoking(page, "Shared");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(revokedRowOf(beside, "Shared")).toBeVisible();
  });
});

test.describe("a session token that expired while the machine slept", () => {
  /** Answers the next call of a procedure as the server answers an expired token. @returns the headers of the calls, one by one. */
  async function expireOnce(page: Page, procedure: string, userId: string) {
    const { authorization } = await newHttpUser({ userId, expiresInSeconds: -60 });
    const server = await apiRequest.newContext({ extraHTTPHeaders: { authorization } });
    const calls: string[] = [];
    await page.route(`**/api/trpc/apiKeys.${procedure}*`, async (route) => {
      const request = route.request();
      calls.push((await request.headerValue("authorization")) ?? "cookie");
      if (calls.length > 1) return route.continue();
      const data = request.postData();
      const response = await server.fetch(request.url(), {
        method: request.method(),
        headers: { "content-type": "application/json" },
        ...(data !== null && { data }),
      });
      expect(response.status()).toBe(401);
      return route.fulfill({ response });
    });
    return calls;
  }

  test("is renewed, and the list asked for once more", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page, user } = session;
    await withKeys(session, "After sleep");
    const calls = await expireOnce(page, "list", user.userId);
    await comeBackTo(page);
    await expect(rowOf(page, "After sleep")).toContainText("Active");
    expect(calls).toEqual(["cookie", expect.stringMatching(/^Bearer /)]);
    await expect(textOn(page, "You are signed out")).toHaveCount(0);
  });

  test("does not stop a change: it is sent once more, and done once", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page, user } = session;
    const calls = await expireOnce(page, "create", user.userId);
    await createKey(page, "Woken");
    expect(calls).toEqual(["cookie", expect.stringMatching(/^Bearer /)]);
    await expect(rowOf(page, "Woken")).toHaveCount(1);

    const revocations = await expireOnce(page, "revoke", user.userId);
    const confirmation = await startRevoking(page, "Woken");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(confirmation.getByRole("status")).toContainText("Effective since");
    expect(revocations).toHaveLength(2);
  });

  test("is no verdict while the sign-in cannot be reached", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page, user } = session;
    await withKeys(session, "Offline");
    await page.route("**/__clerk/**", (route) => route.abort());
    await expireOnce(page, "list", user.userId);
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await expect(rowOf(page, "Offline")).toBeVisible();
    await expect(textOn(page, "You are signed out")).toHaveCount(0);
    await page.unrouteAll({ behavior: "ignoreErrors" });
  });
});
