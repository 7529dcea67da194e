import { describe, expect, test } from "vitest";

import { startLocalClerk } from "@/local/clerk";

import {
  acme,
  ada,
  authOf,
  changeMembership,
  changeOrganization,
  grace,
  inAcme,
  manage,
  Tab,
} from "./organization-tab";
import { errorCode, ProxiedBrowser, read } from "./proxied-browser";
import { app, change, clerk, client, directory } from "./running-clerk";

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
