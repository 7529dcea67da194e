import { type APIRequestContext, type BrowserContext, expect, type Page, test } from "@playwright/test";

import { expectAccessible } from "../support/axe";
import { createKeyOver, newHttpUser } from "../support/http-user";
import { rowOf } from "../support/settings-page";

type Cookies = Parameters<BrowserContext["addCookies"]>[0];

/** The cookies of a browser whose session's tokens have `azp` only as `azp` says. */
async function sessionCookies(
  request: APIRequestContext,
  userId: string,
  azp?: "from Origin" | "never",
): Promise<Cookies> {
  const post = (path: string, data: object) =>
    request.post(`${process.env.CLERK_API_URL}/local/${path}`, {
      headers: { authorization: `Bearer ${process.env.CLERK_SECRET_KEY}` },
      data,
    });
  await post(`users/${userId}`, { features: ["api_access"], deliver: false });
  const answer = await post("browser-sessions", { userId, azp });
  return ((await answer.json()) as { cookies: Cookies }).cookies;
}

/** Every address that the page is sent to, as it goes. */
function navigationsOf(page: Page): string[] {
  const seen: string[] = [];
  page.on("request", (request) => {
    if (request.isNavigationRequest()) seen.push(new URL(request.url()).pathname);
  });
  return seen;
}

test("a session has one verdict, as a cookie and as a bearer, for the page, tRPC and the original endpoint", async ({
  playwright,
  request,
}) => {
  for (const [azp, isAccepted] of [
    [undefined, true],
    ["from Origin", false],
    ["never", false],
  ] as const) {
    const { userId } = await newHttpUser();
    const cookies = await sessionCookies(request, userId, azp);
    const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
    const token = cookies.find(({ name }) => name === "__session")?.value ?? "";
    const browser = await playwright.request.newContext({ baseURL: process.env.BASE_URL ?? "" });
    const get = (path: string, headers: Record<string, string>) => browser.get(path, { headers, maxRedirects: 0 });
    const bearer = { authorization: `Bearer ${token}` };
    const statuses = {
      page: (await get("/settings/api-keys", { cookie, "sec-fetch-dest": "document" })).status(),
      cookie: (await get("/api/trpc/apiKeys.list", { cookie })).status(),
      bearer: (await get("/api/trpc/apiKeys.list", bearer)).status(),
      original: (await browser.post("/api/invalidate-user-api-key-cache", { headers: bearer, data: {} })).status(),
    };
    // 422: the session is good, and the body is looked at.
    const accepted = { page: 200, cookie: 200, bearer: 200, original: 422 };
    const refused = { page: 307, cookie: 401, bearer: 401, original: 401 };
    expect({ azp, ...statuses }).toEqual({ azp, ...(isAccepted ? accepted : refused) });
    await browser.dispose();
  }
});

test("a user whose token names no site gets another one and reaches the page, without a loop", async ({
  context,
  page,
  request,
}) => {
  const user = await newHttpUser();
  await createKeyOver(request, user, "Mine");
  await context.addCookies(await sessionCookies(request, user.userId, "from Origin"));
  const navigations = navigationsOf(page);
  await page.goto("/settings/api-keys");
  await expect(rowOf(page, "Mine")).toBeVisible();
  expect(navigations).toEqual(["/settings/api-keys", "/sign-in", "/settings/api-keys"]);
  // With its own token it is accepted from now on.
  await page.reload();
  await expect(rowOf(page, "Mine")).toBeVisible();

  // After a while away the token has gone, and the one that Clerk's handshake brings names no site either. Clerk gives up after three.
  await context.clearCookies({ name: /^__session/ });
  await page.goto("/settings/api-keys");
  await expect(rowOf(page, "Mine")).toBeVisible();
});

test("a user whose browser never names the site is told so once, and can sign out", async ({
  context,
  page,
  request,
}) => {
  const { userId } = await newHttpUser();
  await context.addCookies(await sessionCookies(request, userId, "never"));
  const navigations = navigationsOf(page);
  await page.goto("/settings/api-keys");
  // Not Next's announcer, which says the heading to screen readers and stands outside.
  const alert = page.getByRole("main").getByRole("alert").filter({ hasText: "Your session cannot be used here" });
  await expect(alert).toBeVisible();
  expect(navigations).toEqual(["/settings/api-keys", "/sign-in"]);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await expectAccessible(page);
  }
  await alert.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByLabel("Email address")).toBeVisible();
});
