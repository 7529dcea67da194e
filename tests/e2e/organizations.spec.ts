import { type BrowserContext, expect, type Page, test } from "@playwright/test";

import { publishableKey } from "@/local/clerk/keys";

import { changeAtSignIn, signInByCookies } from "../support/sign-in-changes";

// What these stories call of the real clerk-js.
type ClerkWindow = {
  __internal_ClerkUICtor?: unknown;
  Clerk: {
    loaded: boolean;
    load(options: object): Promise<void>;
    mountOrganizationSwitcher(node: Element): void;
    setActive(options: { organization: string | null }): Promise<void>;
    organization: { id: string; getMemberships(): Promise<MembershipList> } | null;
    user: { getOrganizationMemberships(options?: { pageSize: number }): Promise<MembershipList> };
    session: {
      getToken(options?: { skipCache: boolean }): Promise<string | null>;
      checkAuthorization(options: { role?: string; permission?: string; feature?: string }): boolean;
    };
  };
};
type MembershipList = {
  total_count: number;
  data: { role: string; organization: { id: string }; publicUserData: { userId: string } }[];
};
declare const window: ClerkWindow;

/** A new user in a browser of their own, and an organisation of theirs. The browser is in the personal account. */
async function newMember(context: BrowserContext, role: string) {
  const [userId, organizationId] = [`user_${randomName()}`, `org_${randomName()}`];
  const name = `Organisation of ${userId}`;
  await changeAtSignIn(context.request, `users/${userId}`, { features: ["api_access"], deliver: false });
  await changeAtSignIn(context.request, `organizations/${organizationId}`, {
    name,
    features: ["api_access", "api_keys"],
    deliver: false,
  });
  const membership = `organizations/${organizationId}/memberships/${userId}` as const;
  await changeAtSignIn(context.request, membership, { role, deliver: false });
  await signInByCookies(context, { userId });
  return { userId, organizationId, name, membership };
}

const randomName = () => crypto.randomUUID().replaceAll("-", "");

async function openHome(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.goto("/");
  await page.getByRole("button", { name: "Account" }).waitFor();
  return page;
}

const switchTo = (page: Page, organization: string | null) =>
  page.evaluate((id) => window.Clerk.setActive({ organization: id }), organization);
const shownIn = (page: Page) => page.evaluate(() => window.Clerk.organization?.id ?? null);

const organizationIn = (token: string | null | undefined): string | null => {
  if (!token) throw new Error("There is no token.");
  const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { o?: { id: string } };
  return claims.o?.id ?? null;
};
const tokenOf = async (page: Page) => organizationIn(await page.evaluate(() => window.Clerk.session.getToken()));

/** The organisation in the cookie that the app's server reads. */
async function cookieOf(context: BrowserContext): Promise<string | null> {
  const cookies = await context.cookies();
  return organizationIn(cookies.find(({ name }) => name === "__session")?.value);
}

test("clerk-js switches to an organisation and back, and a page that is opened later acts for it", async ({
  context,
}) => {
  const { userId, organizationId } = await newMember(context, "org:admin");
  const page = await openHome(context);
  expect([await shownIn(page), await tokenOf(page), await cookieOf(context)]).toEqual([null, null, null]);

  await switchTo(page, organizationId);
  expect([await shownIn(page), await tokenOf(page), await cookieOf(context)]).toEqual(Array(3).fill(organizationId));
  expect(
    await page.evaluate(() => {
      const { session } = window.Clerk;
      return [
        session.checkAuthorization({ role: "org:admin" }),
        session.checkAuthorization({ permission: "org:api_keys:manage" }),
        session.checkAuthorization({ feature: "o:api_access" }),
        session.checkAuthorization({ feature: "u:api_access" }),
      ];
    }),
  ).toEqual([true, true, true, false]);
  const members = await page.evaluate(() => window.Clerk.organization?.getMemberships());
  expect(members).toMatchObject({ total_count: 1, data: [{ role: "org:admin", publicUserData: { userId } }] });

  // After a while away the token has gone. What brings another one is Clerk's handshake, on the server.
  await context.clearCookies({ name: /^__session/ });
  await page.reload();
  await page.getByRole("button", { name: "Account" }).waitFor();
  expect([await shownIn(page), await cookieOf(context)]).toEqual([organizationId, organizationId]);

  await switchTo(page, null);
  expect([await shownIn(page), await tokenOf(page), await cookieOf(context)]).toEqual([null, null, null]);
});

test("each of two tabs keeps its organisation, and the cookie follows the tab that is used last", async ({
  context,
}) => {
  const { organizationId } = await newMember(context, "org:member");
  const [first, second] = [await openHome(context), await openHome(context)];
  await blur(second);
  await switchTo(first, organizationId);
  await blur(first);
  await focus(second);
  await expect.poll(() => cookieOf(context)).toBe(null);
  expect([await tokenOf(first), await tokenOf(second)]).toEqual([organizationId, null]);
  await blur(second);
  await focus(first);
  await expect.poll(() => cookieOf(context)).toBe(organizationId);
  expect([await shownIn(first), await shownIn(second)]).toEqual([organizationId, null]);
});

test("Clerk's own switcher lists the user's organisations, page after page, and switches", async ({
  baseURL,
  context,
}) => {
  const { userId, organizationId, name } = await newMember(context, "org:member");
  for (let index = 0; index < 11; index++) {
    const other = `organizations/org_${randomName()}` as const;
    await changeAtSignIn(context.request, other, { name: `Other ${index}`, deliver: false });
    await changeAtSignIn(context.request, `${other}/memberships/${userId}`, { deliver: false });
  }
  const page = await openSwitcher(context, baseURL ?? "");
  const lists = await page.evaluate(() =>
    Promise.all([10, 12].map((pageSize) => window.Clerk.user.getOrganizationMemberships({ pageSize }))),
  );
  expect(lists.map(({ data, total_count }) => [data.length, total_count])).toEqual([
    [10, 12],
    [12, 12],
  ]);

  await page.getByRole("button", { name: /organization switcher/i }).click();
  const others = page.getByRole("dialog").getByRole("button", { name: /Other \d+$/ });
  await expect(others).toHaveCount(9);
  // The next page comes when the end of the list is seen.
  await others.last().scrollIntoViewIfNeeded();
  await expect(others).toHaveCount(11);
  await page.getByRole("dialog").getByRole("button", { name }).click();
  await expect.poll(() => shownIn(page)).toBe(organizationId);
  await expect(page.locator("#switcher")).toContainText(name);
  expect(await cookieOf(context)).toBe(organizationId);
});

test("who is removed gets no more tokens of the organisation, and is in the personal account with the next page", async ({
  context,
}) => {
  const { organizationId, membership } = await newMember(context, "org:member");
  const page = await openHome(context);
  await switchTo(page, organizationId);
  await changeAtSignIn(context.request, membership, { deleted: true, deliver: false });
  const refusal = await page.evaluate(() =>
    window.Clerk.session.getToken({ skipCache: true }).then(
      () => "a token",
      (error: unknown) => (error as { errors?: { code: string }[] }).errors?.[0]?.code,
    ),
  );
  expect(refusal).toBe("organization_not_found_or_unauthorized");
  await context.clearCookies({ name: /^__session/ });
  await page.reload();
  await page.getByRole("button", { name: "Account" }).waitFor();
  expect([await shownIn(page), await tokenOf(page), await cookieOf(context)]).toEqual([null, null, null]);
});

/** As when the user goes to another tab: Playwright lets every tab believe that it has the focus. */
async function blur(page: Page): Promise<void> {
  await page.evaluate(() => (document.hasFocus = () => false));
}

async function focus(page: Page): Promise<void> {
  await page.evaluate(() => {
    document.hasFocus = () => true;
    dispatchEvent(new Event("focus"));
  });
}

/** A page of the app's origin that has Clerk's prebuilt pages, which those of the app do without. */
async function openSwitcher(context: BrowserContext, origin: string): Promise<Page> {
  const page = await context.newPage();
  const body = `<!doctype html><title>Switcher</title><div id="switcher"></div>
    <script src="/__clerk/npm/@clerk/ui@1/dist/ui.browser.js"></script>
    <script src="/__clerk/npm/@clerk/clerk-js@6/dist/clerk.browser.js"
      data-clerk-publishable-key="${publishableKey}" data-clerk-proxy-url="${origin}/__clerk"></script>`;
  await page.route("**/switcher", (route) => route.fulfill({ contentType: "text/html", body }));
  await page.goto("/switcher");
  await page.evaluate(async () => {
    await window.Clerk.load({ ui: { ClerkUI: window.__internal_ClerkUICtor }, telemetry: false });
    const node = document.getElementById("switcher");
    if (node) window.Clerk.mountOrganizationSwitcher(node);
  });
  return page;
}
