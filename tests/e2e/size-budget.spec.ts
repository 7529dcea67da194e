import { type Browser, type BrowserContext, expect, type Request } from "@playwright/test";

import { startEmptyApp } from "../support/empty-app";
import { test } from "../support/signed-in";

/** What the app may add to an empty page, in bytes of compressed JavaScript. */
const budgetBytes = 100_000;

type Cookies = Parameters<BrowserContext["addCookies"]>[0];

/** The compressed bytes of the scripts that a page loads in a new browser until it has come to rest. */
async function loadedScriptBytes(browser: Browser, url: string, cookies: Cookies): Promise<number> {
  const context = await browser.newContext();
  await context.addCookies(cookies);
  const page = await context.newPage();
  const requests: Request[] = [];
  page.on("requestfinished", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith("/_next/static/") && pathname.endsWith(".js")) requests.push(request);
  });
  await page.goto(url);
  // Both pages are measured signed in, once clerk-js has found that out.
  await page.waitForFunction(() => (globalThis as { Clerk?: { user?: unknown } }).Clerk?.user);
  await page.waitForLoadState("networkidle");
  const sizes = await Promise.all(requests.map((request) => request.sizes()));
  await context.close();
  const bytes = sizes.map(({ responseBodySize }) => responseBodySize);
  // From the browser's cache a script would count less than nothing.
  expect(bytes.filter((size) => size <= 0)).toEqual([]);
  return bytes.reduce((sum, size) => sum + size, 0);
}

test("the settings page adds at most 100 kB of compressed JavaScript to an empty page with the same Next, React and Clerk", async ({
  browser,
  openAsNewUser,
}) => {
  // It builds an app.
  test.setTimeout(180_000);
  const emptyApp = await startEmptyApp();
  const empty = await loadedScriptBytes(browser, emptyApp.origin, emptyApp.cookies).finally(() => emptyApp.stop());
  // Only now: other tests wait for the account.
  const { page } = await openAsNewUser();
  const settings = await loadedScriptBytes(browser, page.url(), await page.context().cookies());
  const added = settings - empty;
  const sizes = `The settings page loads ${settings} bytes, an empty page ${empty}: ${added} more.`;
  expect(added, sizes).toBeLessThanOrEqual(budgetBytes);
});

test("Clerk's prebuilt UI is not loaded with the settings page, not even late", async ({ openAsNewUser }) => {
  const { page } = await openAsNewUser();
  const scripts: string[] = [];
  page.on("request", (request) => scripts.push(request.url()));
  await page.reload();
  await expect(page.getByRole("button", { name: "Account" })).toBeVisible();
  await page.waitForLoadState("networkidle");
  expect(scripts.filter((url) => url.includes("clerk-js@")).length).toBeGreaterThan(0);
  expect(scripts.filter((url) => url.includes("/@clerk/ui@"))).toEqual([]);
});
