import { type Browser, type BrowserContext, expect, type Locator, type Page, test as base } from "@playwright/test";

import { type HttpUser, newHttpUser } from "./http-user";
import { changeAtSignIn, signInByCookies } from "./sign-in-changes";

type Role = "org:admin" | "org:member";

interface Organization {
  id: string;
  name: string;
}

export interface Member {
  /** The page of the start, in a browser of the person's own and in the personal account. */
  page: Page;
  context: BrowserContext;
  userId: string;
  /** The same person over HTTP: in the personal account, and in the organization. */
  personal: HttpUser;
  acting: HttpUser;
  /** Removes the person from the organization, and tells the app. */
  leave: () => Promise<void>;
  join: () => Promise<void>;
}

interface Fixtures {
  /** Makes an organization of this test alone, with API access. */
  newOrganization: (name?: string) => Promise<Organization>;
  /** Makes a member of it, with an account of their own. */
  newMember: (organization: Organization, role: Role) => Promise<Member>;
}

const randomId = (prefix: string) => `${prefix}_${crypto.randomUUID().replaceAll("-", "")}`;

/** `test` for stories with people and organizations of their own, so that none waits for another. */
export const test = base.extend<Fixtures>({
  newOrganization: async ({ request }, provide) => {
    await provide(async (name = "Umbrella") => {
      const id = randomId("org");
      await changeAtSignIn(request, `organizations/${id}`, { name, features: ["api_access"] });
      return { id, name };
    });
  },
  newMember: async ({ browser }, provide) => {
    const contexts: BrowserContext[] = [];
    await provide(async (organization, role) => {
      const member = await openMember(browser, organization, role);
      contexts.push(member.context);
      return member;
    });
    await Promise.all(contexts.map((context) => context.close()));
  },
});

async function openMember(browser: Browser, { id }: Organization, role: Role): Promise<Member> {
  const context = await browser.newContext();
  const userId = randomId("user");
  const change = (data: { role?: string; deleted?: boolean }) =>
    changeAtSignIn(context.request, `organizations/${id}/memberships/${userId}`, data);
  await changeAtSignIn(context.request, `users/${userId}`, { features: ["api_access"] });
  await change({ role });
  await signInByCookies(context, { userId });
  const page = await context.newPage();
  await page.goto("/settings/api-keys");
  await accountButton(page).waitFor();
  return {
    page,
    context,
    userId,
    personal: await newHttpUser({ userId }),
    acting: await newHttpUser({ userId, organization: { id, role, features: ["api_access"] } }),
    leave: () => change({ deleted: true }),
    join: () => change({ role }),
  };
}

export const accountButton = (page: Page): Locator => page.getByRole("button", { name: "Account", exact: true });

/** Whose keys the page says it shows. */
export const ownerOf = (page: Page): Locator =>
  page
    .getByRole("main")
    .getByRole("paragraph")
    .filter({ hasText: /^Account:/ });

/** Sends the next call of a procedure with the session of `user`, as a browser does whose cookie is that one's. */
export async function callOnceAs(page: Page, procedure: string, user: HttpUser): Promise<void> {
  await page.route(
    `**/api/trpc/apiKeys.${procedure}*`,
    (route, request) => route.continue({ headers: { ...request.headers(), authorization: user.authorization } }),
    { times: 1 },
  );
}

/** Switches by the account menu. @param name an organization's, or "Personal account". */
export async function switchTo(page: Page, name: string): Promise<void> {
  await accountButton(page).click();
  await page.getByRole("menuitemradio", { name, exact: true }).click();
}

/** Switches on the settings page, until it shows the keys of that account. */
export async function showKeysOf(page: Page, name: string): Promise<void> {
  await switchTo(page, name);
  await expect(ownerOf(page)).toContainText(name === "Personal account" ? "Personal" : name);
  await expect(page.getByText(/\d of \d+ active/).filter({ visible: true })).toBeVisible();
}
