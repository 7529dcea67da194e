import { chromium, expect, type Page } from "@playwright/test";

import { browserFlags, findBrowser } from "@/local/browser";

import { createKey, startRevoking } from "../support/settings-page";
import { signIn } from "../support/signed-in";

/**
 * What a person does in a host's app: signs in, creates a key, calls a route of the host with it, revokes the key, and calls once more.
 * @param path a route that the host has wrapped with `withApiKey`.
 * @returns the answers of the route, before and after the revocation.
 */
export async function createCallAndRevoke(origin: string, path: string) {
  return withPage(origin, async (page) => {
    await page.goto("/settings/api-keys");
    await signIn(page, "ada");
    const secret = await createKey(page, "Production");
    const call = async () => {
      const response = await fetch(origin + path, { headers: { authorization: `Bearer ${secret}` } });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const before = await call();
    const dialog = await startRevoking(page, "Production");
    const field = dialog.getByRole("textbox");
    if (await field.isVisible()) await field.fill("Production");
    await dialog.getByRole("button", { name: "Revoke key" }).click();
    await expect(dialog.getByRole("status")).toContainText("No request that starts from now on is accepted.");
    return { before, after: await call() };
  });
}

/** What the settings page tells somebody who is signed in, of what the app lacks. */
export async function readWhatIsMissing(origin: string, cookies: Cookies): Promise<string> {
  return withPage(origin, async (page) => {
    await page.context().addCookies(cookies);
    await page.goto("/settings/api-keys");
    return page.getByRole("alert").filter({ hasText: "Clerk" }).innerText();
  });
}

type Cookies = Parameters<ReturnType<Page["context"]>["addCookies"]>[0];

async function withPage<T>(baseURL: string, work: (page: Page) => Promise<T>): Promise<T> {
  const executablePath = findBrowser();
  const browser = await chromium.launch({ args: browserFlags, ...(executablePath && { executablePath }) });
  try {
    const page = await browser.newPage({ baseURL, viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(30_000);
    return await work(page);
  } finally {
    await browser.close();
  }
}
