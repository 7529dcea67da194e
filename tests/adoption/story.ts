import { join } from "node:path";

import { chromium, expect, type Page } from "@playwright/test";

import { browserFlags, findBrowser } from "@/local/browser";

import { expectAccessible } from "../support/axe";
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
    await signIn(page, "ada@example.test");
    const secret = await createKey(page, "Production");
    const call = async () => {
      const response = await fetch(origin + path, { headers: { authorization: `Bearer ${secret}` } });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const before = await call();
    await expectAccessibleInEveryLook(page);
    const dialog = await startRevoking(page, "Production");
    const field = dialog.getByRole("textbox");
    if (await field.isVisible()) await field.fill("Production");
    await dialog.getByRole("button", { name: "Revoke key" }).click();
    await expect(dialog.getByRole("status")).toContainText("No request that starts from now on is accepted.");
    return { before, after: await call() };
  });
}

/**
 * A person creates a key, and a stranger who has found it reports it on the page `/leaked`.
 * @returns the answer of a route of the host to that key after the report.
 */
export async function createAndReport(origin: string, path: string) {
  return withPage(origin, async (page) => {
    await page.goto("/settings/api-keys");
    await signIn(page, "ada@example.test");
    const secret = await createKey(page, "Found");
    await page.goto("/leaked");
    const report = page.getByRole("button", { name: "Report it" });
    await expect(report).not.toHaveCSS("background-color", "rgba(0, 0, 0, 0)");
    await expectAccessible(page);
    await page.getByLabel("The key, or text that contains it").fill(`API_KEY=${secret}`);
    await report.click();
    await expect(page.getByRole("status")).toContainText("Thank you. We have your report.");
    const response = await fetch(origin + path, { headers: { authorization: `Bearer ${secret}` } });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  });
}

/** The host's own colours, or the page's defaults, in both themes and widths. With SCREENSHOTS set to a folder it leaves a picture of each. */
async function expectAccessibleInEveryLook(page: Page) {
  for (const colorScheme of ["light", "dark"] as const)
    for (const width of [1280, 360]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await expectAccessible(page);
      // Without the page's style sheet its tokens are empty, and what they colour is transparent. Nothing else would tell.
      const background = await page
        .locator(".latchkey")
        .first()
        .evaluate((root) => getComputedStyle(root).backgroundColor);
      await expect(page.locator("body")).toHaveCSS("background-color", background);
      const create = page.getByRole("button", { name: "Create key" });
      await expect(create).not.toHaveCSS("background-color", "rgba(0, 0, 0, 0)");
      const folder = process.env.SCREENSHOTS;
      const app = new URL(page.url()).port;
      if (folder) await page.screenshot({ path: join(folder, `${app}-${width}-${colorScheme}.png`) });
    }
  await page.setViewportSize({ width: 1280, height: 800 });
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
