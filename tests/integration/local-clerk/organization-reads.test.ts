import { describe, expect, test } from "vitest";

import type { MembershipChangeOptions, OrganizationChangeOptions } from "@/local/clerk";

import { acme, ada, changeMembership, changeOrganization, grace, inAcme, manage, Tab } from "./organization-tab";
import { errorCode, ProxiedBrowser, read } from "./proxied-browser";
import { app, change, clerk, client } from "./running-clerk";

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
