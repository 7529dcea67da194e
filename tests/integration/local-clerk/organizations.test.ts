import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createClerkClient } from "@clerk/backend";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import {
  startLocalClerk,
  type LocalClerk,
  type MembershipChangeOptions,
  type OrganizationChangeOptions,
  type UserChangeOptions,
} from "@/local/clerk";

import { errorCode, ProxiedBrowser, read } from "./proxied-browser";
import { startReceivingApp, type ReceivingApp } from "./receiving-app";

const password = "latchkey-demo-2026";
const acme = "org_2pLatchkeyDemoAcme00000001";
const ada = "user_2pLatchkeyDemoAda000000001";
const grace = "user_2pLatchkeyDemoGrace0000002";
const manage = "org:api_keys:manage";
let directory: string;
let app: ReceivingApp;
let clerk: LocalClerk;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "local-clerk-"));
  app = await startReceivingApp();
});
afterAll(async () => {
  app.stop();
  await rm(directory, { recursive: true });
});

beforeEach(async () => {
  clerk = await startLocalClerk({ directory, appOrigin: app.origin });
  app.received = [];
  return () => clerk.stop();
});

const client = (at = clerk) =>
  createClerkClient({
    secretKey: at.environment.CLERK_SECRET_KEY ?? "",
    publishableKey: at.environment.NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY ?? "",
    apiUrl: at.environment.CLERK_API_URL ?? "",
    telemetry: { disabled: true },
  });

/** Changes something at the stand-in and answers with the statuses that its events were answered with. */
async function change(
  path: string,
  options: OrganizationChangeOptions | MembershipChangeOptions | UserChangeOptions,
  bearer = clerk.environment.CLERK_SECRET_KEY,
) {
  const response = await fetch(`${clerk.environment.CLERK_API_URL}/local/${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${bearer}` },
    body: JSON.stringify(options),
  });
  return { status: response.status, ...((await response.json()) as { statuses?: number[] }) };
}
const changeOrganization = (options: OrganizationChangeOptions) => change(`organizations/${acme}`, options);
const changeMembership = (userId: string, options: MembershipChangeOptions) =>
  change(`organizations/${acme}/memberships/${userId}`, options);

/** What Clerk's own code makes of a request with this token, as `auth()` tells it. */
async function authOf(token: string, at = clerk) {
  const request = new Request(app.origin, { headers: { authorization: `Bearer ${token}` } });
  const state = await client(at).authenticateRequest(request, {
    jwtKey: at.environment.CLERK_JWT_KEY ?? "",
    authorizedParties: [app.origin],
  });
  const auth = state.toAuth();
  if (!auth || !("userId" in auth) || !auth.userId) throw new Error(`The token is refused: ${String(state.reason)}`);
  return auth;
}

/** A browser of one person, and what clerk-js asks for in one tab of it. */
class Tab {
  constructor(
    readonly browser: ProxiedBrowser,
    readonly sessionId: string,
  ) {}

  static async open(name: "ada" | "grace" | "linus", at = clerk): Promise<Tab> {
    const browser = new ProxiedBrowser(at, app.origin);
    return new Tab(browser, await browser.signIn(`${name}@example.test`, password));
  }

  async switchTo(organizationId: string): Promise<string | undefined> {
    const answer = await this.post("touch", { active_organization_id: organizationId, intent: "select_org" });
    return answer.status === 200 ? undefined : errorCode(answer);
  }

  /** @returns the token, or the code of the refusal */
  async token(form: Record<string, string> = {}): Promise<string> {
    const answer = await this.post("tokens", form);
    return answer.status === 200 ? String(read(answer.body, "jwt")) : errorCode(answer);
  }

  async auth(form: Record<string, string> = {}) {
    return authOf(await this.token(form), this.browser.clerk);
  }

  /** The session as the client resource has it. */
  async session(): Promise<unknown> {
    return read((await this.browser.call("GET", "/v1/client")).body, "response", "sessions", 0);
  }

  private post(action: string, form: Record<string, string>) {
    return this.browser.call("POST", `/v1/client/sessions/${this.sessionId}/${action}`, form);
  }
}

async function inAcme(name: "ada" | "grace", at = clerk): Promise<Tab> {
  const tab = await Tab.open(name, at);
  expect(await tab.switchTo(acme)).toBeUndefined();
  return tab;
}

describe("the account that a session acts for", () => {
  test.each(["ada", "grace", "linus"] as const)("%s, just signed in, is in the personal account", async (name) => {
    const tab = await Tab.open(name);
    const auth = await tab.auth();
    expect([auth.orgId, auth.orgRole, auth.orgSlug]).toEqual([undefined, undefined, undefined]);
    expect(auth.has({ feature: "u:api_access" })).toBe(name !== "linus");
    expect(auth.has({ plan: "u:local_plan" })).toBe(true);
    expect(auth.has({ feature: "o:api_access" })).toBe(false);
    expect(auth.has({ role: "org:member" })).toBe(false);
    expect(await tab.session()).toMatchObject({ last_active_organization_id: null });
  });

  test.each([
    ["ada", "org:admin", "org:member", true],
    ["grace", "org:member", "org:admin", false],
  ] as const)("%s is in Acme by role, by custom permission and by feature", async (name, role, other, isManager) => {
    const tab = await inAcme(name);
    const auth = await tab.auth();
    expect([auth.orgId, auth.orgSlug, auth.orgRole]).toEqual([acme, "acme", role]);
    expect(auth.orgPermissions).toEqual(isManager ? [manage] : []);
    expect([auth.has({ role }), auth.has({ role: other })]).toEqual([true, false]);
    expect(auth.has({ permission: manage })).toBe(isManager);
    expect(auth.has({ permission: "org:api_access:manage" })).toBe(false);
    expect([auth.has({ feature: "o:api_access" }), auth.has({ plan: "o:local_plan" })]).toEqual([true, true]);
    // As Clerk does it: the person's own plan says nothing in an organisation.
    expect([auth.has({ feature: "u:api_access" }), auth.has({ plan: "u:local_plan" })]).toEqual([false, false]);
    expect(await tab.session()).toMatchObject({ last_active_organization_id: acme });
  });

  test("the claims are compact, as the documentation of Clerk shows them", async () => {
    const permissions = ["org:dashboard:read", "org:dashboard:manage", "org:teams:read"];
    const organization = { id: "org_x", role: "org:admin", permissions, features: ["dashboard", "teams", "other"] };
    const auth = await authOf(clerk.mintSessionToken({ userId: ada, organization, plan: "pro" }));
    expect(auth.sessionClaims).toMatchObject({
      v: 2,
      fea: "o:dashboard,o:teams,o:other",
      pla: "o:pro",
      o: { id: "org_x", rol: "admin", per: "manage,read", fpm: "3,2,0" },
    });
    expect(auth.orgPermissions?.toSorted()).toEqual(permissions.toSorted());
  });

  test("more custom permissions than an integer has bits are told apart", async () => {
    const all = Array.from({ length: 120 }, (_, index) => `org:${index % 2 ? "odd" : "even"}:act_${index}`);
    const held = all.filter((_, index) => index % 3 === 0);
    const organization = { id: "org_x", role: "org:member", permissions: held };
    const auth = await authOf(clerk.mintSessionToken({ userId: ada, organization }));
    expect(all.filter((permission) => auth.has({ permission }))).toEqual(held);
  });

  test("a test's token may have the user's features beside the organisation's", async () => {
    const organization = { id: "org_x", role: "org:admin", features: [] };
    const auth = await authOf(clerk.mintSessionToken({ userId: ada, organization, features: ["api_access"] }));
    expect([auth.has({ feature: "o:api_access" }), auth.has({ feature: "u:api_access" })]).toEqual([false, true]);
  });

  test("a browser can be opened in an organisation, and the backend's tokens are of it too", async () => {
    const browser = new ProxiedBrowser(clerk, app.origin);
    for (const { name, value } of clerk.browserSession({ userId: grace, activeOrganizationId: acme }))
      browser.cookies.set(name, value);
    expect((await authOf(browser.cookies.get("__session") ?? "")).orgId).toBe(acme);
    const [sessionId = ""] = await browser.sessionIds();
    expect((await authOf((await client().sessions.getToken(sessionId)).jwt)).orgRole).toBe("org:member");
    expect(await client().sessions.getSession(sessionId)).toMatchObject({ lastActiveOrganizationId: acme });
  });
});

describe("who may manage keys", () => {
  test.each<[string, string[], string[]]>([
    ["another permission", ["org:api_access:administer"], ["org:api_access:administer"]],
    ["none", [], []],
    ["one whose feature the organisation lacks", ["org:reports:read"], []],
  ])("the admin's custom permissions are a setting: %s", async (_title, adminPermissions, held) => {
    const other = await startLocalClerk({ directory, appOrigin: app.origin, adminPermissions });
    const auth = await (await inAcme("ada", other)).auth();
    await other.stop();
    expect([auth.orgPermissions, auth.has({ permission: manage }), auth.has({ role: "org:admin" })]).toEqual([
      held,
      false,
      true,
    ]);
  });

  test("one member can have a custom permission that the role has not, and one can lack what it has", async () => {
    const [admin, member] = [await inAcme("ada"), await inAcme("grace")];
    const both = async () =>
      Promise.all([admin, member].map(async (tab) => (await tab.auth()).has({ permission: manage })));
    await changeMembership(ada, { permissions: [] });
    await changeMembership(grace, { permissions: [manage] });
    expect(await both()).toEqual([false, true]);
    await changeMembership(ada, { permissions: null });
    await changeMembership(grace, { permissions: null });
    expect(await both()).toEqual([true, false]);
  });

  test("the next token has the new role", async () => {
    const tab = await inAcme("grace");
    await changeMembership(grace, { role: "org:admin" });
    expect(await tab.auth()).toMatchObject({ orgRole: "org:admin", orgPermissions: [manage] });
    await changeMembership(grace, { role: "org:auditor" });
    const auth = await tab.auth();
    expect([auth.orgRole, auth.has({ role: "org:auditor" }), auth.orgPermissions]).toEqual(["org:auditor", true, []]);
  });

  test("a plan that lapses takes features and custom permissions, and leaves the role", async () => {
    const tab = await inAcme("ada");
    await changeOrganization({ subscription: { status: "canceled", periodEnd: Date.now() + 60_000 } });
    expect((await tab.auth()).has({ feature: "o:api_access" })).toBe(true);
    await changeOrganization({ subscription: { status: "canceled", periodEnd: Date.now() - 1 } });
    const lapsed = await tab.auth();
    expect([lapsed.has({ feature: "o:api_access" }), lapsed.has({ permission: manage })]).toEqual([false, false]);
    expect([lapsed.has({ role: "org:admin" }), lapsed.has({ plan: "o:free_org" })]).toEqual([true, true]);
    await changeOrganization({ subscription: { status: "active", periodEnd: null }, features: ["api_access"] });
    const returned = await tab.auth();
    expect([returned.has({ feature: "o:api_access" }), returned.has({ permission: manage })]).toEqual([true, false]);
  });
});

describe("switching", () => {
  test.each([
    ["an organisation of others", acme],
    ["one that does not exist", "org_nowhere"],
  ])("to %s is refused with the same answer, and changes nothing", async (_title, organizationId) => {
    const tab = await Tab.open("linus");
    expect(await tab.switchTo(organizationId)).toBe("organization_not_found_or_unauthorized");
    expect(await tab.token({ organization_id: organizationId })).toBe("organization_not_found_or_unauthorized");
    expect((await tab.auth()).orgId).toBeUndefined();
    const answer = await tab.browser.call("GET", `/v1/organizations/${organizationId}`);
    expect([answer.status, errorCode(answer)]).toEqual([404, "organization_not_found_or_unauthorized"]);
  });

  test("back to the personal account, and from one organisation to another", async () => {
    await change("organizations/org_other", { features: ["api_access"] });
    await change(`organizations/org_other/memberships/${ada}`, { role: "org:member" });
    const tab = await inAcme("ada");
    await tab.switchTo("org_other");
    expect(await tab.auth()).toMatchObject({ orgId: "org_other", orgRole: "org:member" });
    await tab.switchTo("");
    const auth = await tab.auth();
    expect([auth.orgId, auth.has({ feature: "u:api_access" })]).toEqual([undefined, true]);
  });

  test("a tab's token is of the tab's organisation, and asking for it switches nothing", async () => {
    const tab = await inAcme("ada");
    expect((await tab.auth({ organization_id: "" })).orgId).toBeUndefined();
    expect((await tab.auth()).orgId).toBe(acme);
    await tab.switchTo("");
    expect((await tab.auth({ organization_id: acme })).orgId).toBe(acme);
    expect((await tab.auth()).orgId).toBeUndefined();
  });

  test("a touch that names no organisation keeps the active one", async () => {
    const tab = await inAcme("ada");
    expect((await tab.browser.call("POST", `/v1/client/sessions/${tab.sessionId}/touch`)).status).toBe(200);
    expect((await tab.auth()).orgId).toBe(acme);
  });

  test("a page that is opened acts for what was switched to last", async () => {
    const first = await inAcme("ada");
    const second = new Tab(first.browser, first.sessionId);
    const opened = async () => {
      const path = `/v1/client/handshake?redirect_url=${encodeURIComponent(`${app.origin}/`)}`;
      const location = new URL((await first.browser.call("GET", path)).headers.get("location") ?? "");
      const payload = location.searchParams.get("__clerk_handshake")?.split(".")[1] ?? "";
      const cookies = Buffer.from(payload, "base64url").toString();
      return (await authOf(/(?<="__session=)[^;]+/.exec(cookies)?.[0] ?? "")).orgId;
    };
    expect(await opened()).toBe(acme);
    await second.switchTo("");
    expect(await opened()).toBeUndefined();
    await first.switchTo(acme);
    expect(await opened()).toBe(acme);
  });

  test("an answer that is late takes no switch back: what only reads sets no cookie", async () => {
    const tab = await inAcme("ada");
    for (const path of ["/v1/client", "/v1/me", "/v1/me/organization_memberships", `/v1/organizations/${acme}`]) {
      const answer = await tab.browser.call("GET", path);
      expect([answer.status, answer.headers.getSetCookie()]).toEqual([200, []]);
    }
  });

  test("it survives a restart of the stand-in", async () => {
    const before = await startLocalClerk({ directory, appOrigin: app.origin });
    const { browser, sessionId } = await inAcme("grace", before);
    await before.stop();
    const after = new Tab(new ProxiedBrowser(clerk, app.origin), sessionId);
    for (const [name, value] of browser.cookies) after.browser.cookies.set(name, value);
    expect(await after.auth()).toMatchObject({ orgId: acme, orgRole: "org:member" });
  });
});

describe("leaving", () => {
  test.each<[string, () => Promise<unknown>]>([
    ["removed from it", () => changeMembership(grace, { deleted: true })],
    ["a member of one that is deleted", () => changeOrganization({ deleted: true })],
  ])("who is %s gets no more of its tokens, and is in the personal account", async (_title, leave) => {
    const tab = await inAcme("grace");
    await leave();
    expect(await tab.token({ organization_id: acme })).toBe("organization_not_found_or_unauthorized");
    expect(await tab.switchTo(acme)).toBe("organization_not_found_or_unauthorized");
    expect((await tab.auth()).orgId).toBeUndefined();
    expect(await tab.session()).toMatchObject({
      last_active_organization_id: null,
      user: { organization_memberships: [] },
    });
    expect((await authOf(String(read(await tab.session(), "last_active_token", "jwt")))).orgId).toBeUndefined();
    expect((await client().users.getOrganizationMembershipList({ userId: grace })).totalCount).toBe(0);
  });

  test("a removal is of one member alone, and who joins again is a member again", async () => {
    const [admin, member] = [await inAcme("ada"), await inAcme("grace")];
    await changeMembership(grace, { deleted: true });
    expect((await admin.auth()).orgId).toBe(acme);
    await changeMembership(grace, { role: "org:member" });
    expect(await member.auth({ organization_id: acme })).toMatchObject({ orgId: acme, orgRole: "org:member" });
  });

  test("an organisation that comes again after a deletion has no members", async () => {
    await changeOrganization({ deleted: true });
    await changeOrganization({ name: "Acme again" });
    const { data } = await client().organizations.getOrganizationMembershipList({ organizationId: acme });
    expect(data).toEqual([]);
  });

  test("a deleted user is no member any more", async () => {
    await change(`users/${grace}`, { deleted: true });
    const { data, totalCount } = await client().organizations.getOrganizationMembershipList({ organizationId: acme });
    expect([data.map(({ publicUserData }) => publicUserData?.userId), totalCount]).toEqual([[ada], 1]);
  });
});

describe("what clerk-js reads", () => {
  test("the memberships stand in the user, with the permissions that pages are shown by", async () => {
    const memberships = read(await (await Tab.open("ada")).session(), "user", "organization_memberships");
    expect(memberships).toMatchObject([
      {
        object: "organization_membership",
        role: "org:admin",
        role_name: "Admin",
        permissions: expect.arrayContaining(["org:sys_memberships:manage", manage]) as string[],
        organization: { object: "organization", id: acme, name: "Acme", slug: "acme", members_count: 2 },
      },
    ]);
    expect(read(await (await Tab.open("linus")).session(), "user", "organization_memberships")).toEqual([]);
  });

  test("lists come in pages, with their whole length", async () => {
    const tab = await inAcme("ada");
    for (const [index, name] of ["one", "two", "three"].entries()) {
      await change(`organizations/org_${name}`, { name });
      await change(`organizations/org_${name}/memberships/${ada}`, {});
      await changeMembership(`user_${name}`, { role: index === 0 ? "org:admin" : "org:member" });
    }
    const list = async (path: string) => {
      const { body } = await tab.browser.call("GET", `${path}&paginated=true`);
      const data = read(body, "response", "data") as unknown[];
      return [
        data.map((entry) => [read(entry, "organization", "name"), read(entry, "public_user_data", "user_id")]),
        read(body, "response", "total_count"),
      ];
    };
    expect(await list("/v1/me/organization_memberships?limit=2&offset=0")).toEqual([
      [
        ["Acme", ada],
        ["one", ada],
      ],
      4,
    ]);
    expect(await list("/v1/me/organization_memberships?limit=3&offset=3")).toEqual([[["three", ada]], 4]);
    const members = `/v1/organizations/${acme}/memberships?limit=10&offset=0`;
    expect(await list(`${members}&role=org:admin`)).toEqual([
      [
        ["Acme", ada],
        ["Acme", "user_one"],
      ],
      2,
    ]);
    expect(await list(`${members}&query=GRACE@`)).toEqual([[["Acme", grace]], 1]);
    for (const empty of ["me/organization_invitations", "me/organization_suggestions", `organizations/${acme}/domains`])
      expect(await list(`/v1/${empty}?limit=10&offset=0`)).toEqual([[], 0]);
  });

  test.each(["me", "me/organization_memberships", `organizations/${acme}`, `organizations/${acme}/memberships`])(
    "nobody who is signed out reads %s",
    async (path) => {
      const answer = await new ProxiedBrowser(clerk, app.origin).call("GET", `/v1/${path}`);
      expect([answer.status, errorCode(answer)]).toEqual([401, "authentication_invalid"]);
    },
  );

  test("nobody who is no member reads the members", async () => {
    const { browser } = await Tab.open("linus");
    expect((await browser.call("GET", `/v1/organizations/${acme}/memberships`)).status).toBe(404);
  });

  test("the instance has organisations, and leaves the personal account", async () => {
    const { body } = await new ProxiedBrowser(clerk, app.origin).call("GET", "/v1/environment");
    expect(read(body, "organization_settings")).toMatchObject({ enabled: true, force_organization_selection: false });
  });
});

describe("the backend API", () => {
  test("Clerk's own client reads an organisation by id and by slug, and every list of memberships", async () => {
    const { organizations, users } = client();
    expect(await organizations.getOrganization({ organizationId: acme })).toMatchObject({ name: "Acme", slug: "acme" });
    expect((await organizations.getOrganization({ slug: "acme" })).id).toBe(acme);
    const of = (list: { data: { role: string; publicUserData?: { userId: string } | null | undefined }[] }) =>
      list.data.map(({ role, publicUserData }) => [role, publicUserData?.userId]);
    const both = [
      ["org:admin", ada],
      ["org:member", grace],
    ];
    expect(of(await organizations.getOrganizationMembershipList({ organizationId: acme }))).toEqual(both);
    expect(of(await organizations.getInstanceOrganizationMembershipList({}))).toEqual(both);
    const second = await organizations.getOrganizationMembershipList({ organizationId: acme, limit: 1, offset: 1 });
    expect([of(second), second.totalCount]).toEqual([[both[1]], 2]);
    const one = await organizations.getOrganizationMembershipList({ organizationId: acme, userId: [grace] });
    expect(of(one)).toEqual([both[1]]);
    expect(of(await users.getOrganizationMembershipList({ userId: ada }))).toEqual([both[0]]);
    expect((await organizations.getOrganizationList()).data.map(({ id }) => id)).toEqual([acme]);
  });

  test("an organisation that is unknown is not found", async () => {
    const { billing, organizations } = client();
    for (const answer of [
      organizations.getOrganization({ organizationId: "org_nowhere" }),
      organizations.getOrganizationMembershipList({ organizationId: "org_nowhere" }),
      billing.getOrganizationBillingSubscription("org_nowhere"),
    ])
      await expect(answer).rejects.toMatchObject({ status: 404 });
  });

  test("an organisation has a subscription of its own, which fails while billing is down", async () => {
    const periodEnd = Date.now() + 60_000;
    await changeOrganization({ features: ["one"], subscription: { status: "canceled", periodEnd } });
    const { payerId, subscriptionItems } = await client().billing.getOrganizationBillingSubscription(acme);
    expect(payerId).toMatch(/^cpayer_.*Acme/);
    expect(
      subscriptionItems.map(({ status, periodEnd: end, plan }) => [
        status,
        end,
        plan?.slug,
        plan?.forPayerType,
        plan?.features.map(({ slug }) => slug),
      ]),
    ).toEqual([
      ["active", null, "free_org", "org", []],
      ["canceled", periodEnd, "local_plan", "org", ["one"]],
    ]);
    await changeOrganization({ isBillingDown: true });
    await expect(client().billing.getOrganizationBillingSubscription(acme)).rejects.toMatchObject({ status: 500 });
  });
});

describe("the events of a change", () => {
  const membershipOf = (userId: string, role: string) => ({
    object: "organization_membership",
    role,
    organization: { object: "organization", id: acme, name: "Acme" },
    public_user_data: { user_id: userId },
  });
  const subscription = { payer: { organization_id: acme, organization_name: "Acme" } };

  test.each<[string, string, OrganizationChangeOptions | MembershipChangeOptions, [type: string, data: object][]]>([
    [
      "a deletion",
      "",
      { deleted: true },
      [["organization.deleted", { object: "organization", id: acme, deleted: true }]],
    ],
    ["another name", "", { name: "Acme Ltd" }, [["organization.updated", { id: acme, name: "Acme Ltd" }]]],
    [
      "another plan",
      "",
      { features: [] },
      [
        ["subscription.updated", subscription],
        ["subscriptionItem.active", subscription],
      ],
    ],
    ["an outage of billing", "", { isBillingDown: true }, []],
    [
      "somebody who joins",
      "/memberships/user_fresh",
      { role: "org:admin" },
      [["organizationMembership.created", membershipOf("user_fresh", "org:admin")]],
    ],
    [
      "another role",
      `/memberships/${grace}`,
      { role: "org:admin" },
      [["organizationMembership.updated", membershipOf(grace, "org:admin")]],
    ],
    [
      "a removal",
      `/memberships/${grace}`,
      { deleted: true },
      [["organizationMembership.deleted", membershipOf(grace, "org:member")]],
    ],
  ])("of %s reach the app, in a signature that Clerk's own code accepts", async (_title, path, options, events) => {
    expect(await change(`organizations/${acme}${path}`, { ...options, at: 1_800_000_000_000 })).toMatchObject({
      status: 200,
      statuses: events.map(() => 202),
    });
    const verified = await app.verified(clerk);
    expect(verified).toMatchObject(events.map(([type, data]) => ({ type, data, timestamp: 1_800_000_000_000 })));
    expect(verified).toHaveLength(events.length);
  });

  test("an organisation that was unknown comes into being, and its members after it", async () => {
    await change("organizations/org_fresh", { name: "Fresh" });
    await change("organizations/org_fresh/memberships/user_fresh", {});
    expect((await app.verified(clerk)).map(({ type }) => type)).toEqual([
      "organization.created",
      "organizationMembership.created",
    ]);
    expect(await client().organizations.getOrganization({ slug: "org-fresh" })).toMatchObject({ id: "org_fresh" });
  });

  test.each([
    ["an organisation that is unknown", "organizations/org_nowhere/memberships/user_x", {}],
    ["a member that there is not", `organizations/${acme}/memberships/user_x`, { deleted: true }],
  ])("nothing is told of %s", async (_title, path, options) => {
    expect(await change(path, options)).toMatchObject({ status: 404 });
    expect(app.received).toEqual([]);
  });

  test("nobody changes anything without the secret key", async () => {
    for (const path of [`organizations/${acme}`, `organizations/${acme}/memberships/${grace}`])
      expect(await change(path, { deleted: true }, "sk_test_wrong")).toMatchObject({ status: 401 });
    expect((await client().organizations.getOrganizationMembershipList({ organizationId: acme })).totalCount).toBe(2);
  });
});
