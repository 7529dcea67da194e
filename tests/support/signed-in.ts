import { type BrowserContext, test as base, type Page } from "@playwright/test";

import { accountPassword } from "@/local/clerk/accounts";

import { type HttpUser, newHttpUser } from "./http-user";
import { untilHydrated } from "./settings-page";
import { changeAtSignIn, signInByCookies } from "./sign-in-changes";

export interface SignedIn {
  /** The settings page, in a browser context of its own. */
  page: Page;
  /** The same user over HTTP. */
  user: HttpUser;
  email: string;
}

interface Fixtures {
  /** Opens the settings page for a user of this test alone, so that no test waits for another. */
  openAsNewUser: (options?: { hasAccess: boolean }) => Promise<SignedIn>;
}

/** `test` for stories with signed-in users. */
export const test = base.extend<Fixtures>({
  openAsNewUser: async ({ browser }, provide) => {
    const contexts: BrowserContext[] = [];
    await provide(async ({ hasAccess } = { hasAccess: true }) => {
      const user = await newHttpUser();
      const context = await browser.newContext();
      contexts.push(context);
      await changeAtSignIn(context.request, `users/${user.userId}`, { features: hasAccess ? ["api_access"] : [] });
      await signInByCookies(context, { userId: user.userId });
      const page = await context.newPage();
      await page.goto("/settings/api-keys");
      await untilHydrated(page);
      return { page, user, email: `${user.userId}@example.test` };
    });
    await Promise.all(contexts.map((context) => context.close()));
  },
});

/** The user's plan loses API access, and the page is loaded again. */
export async function loseAccess({ page, user }: SignedIn): Promise<void> {
  await changeAtSignIn(page.request, `users/${user.userId}`, { features: [] });
  await page.reload();
}

/** From the sign-in page to wherever it leads. */
export async function signIn(page: Page, email: string): Promise<void> {
  await page.getByLabel("Email address").fill(email);
  await page.getByRole("button", { name: "Continue", exact: true }).click();
  await page.getByLabel("Password", { exact: true }).fill(accountPassword);
  await page.getByRole("button", { name: "Continue", exact: true }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
}
