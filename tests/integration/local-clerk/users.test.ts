import { verifyToken } from "@clerk/backend";
import { describe, expect, test } from "vitest";

import type { UserChangeOptions } from "@/local/clerk";

import { ProxiedBrowser, read } from "./proxied-browser";
import { app, change, clerk, client, password } from "./running-clerk";

const [email, userId] = ["linus@example.test", "user_2pLatchkeyDemoLinus0000003"];
const newBrowser = () => new ProxiedBrowser(clerk, app.origin);

async function featuresOf(browser: ProxiedBrowser, sessionId: string) {
  const { body } = await browser.call("POST", `/v1/client/sessions/${sessionId}/tokens`);
  const claims = await verifyToken(String(read(body, "jwt")), { jwtKey: clerk.environment.CLERK_JWT_KEY ?? "" });
  return read(claims, "fea");
}

describe("changing a user", () => {
  test("needs the secret key", async () => {
    expect(await change(`users/${userId}`, { deleted: true }, "sk_test_wrong")).toMatchObject({ status: 401 });
    expect((await client().users.getUser(userId)).id).toBe(userId);
    expect(app.received).toEqual([]);
  });

  test("the next session token claims the features of the plan, while it is paid for", async () => {
    const browser = newBrowser();
    const sessionId = await browser.signIn(email, password);
    expect(await featuresOf(browser, sessionId)).toBeUndefined();
    await change(`users/${userId}`, { features: ["one", "two"] });
    expect(await featuresOf(browser, sessionId)).toBe("u:one,u:two");
    await change(`users/${userId}`, { subscription: { status: "canceled", periodEnd: Date.now() + 60_000 } });
    expect(await featuresOf(browser, sessionId)).toBe("u:one,u:two");
    await change(`users/${userId}`, { subscription: { status: "canceled", periodEnd: Date.now() - 1 } });
    expect(await featuresOf(browser, sessionId)).toBeUndefined();
  });

  test("a banned user's sessions end for good, and no new one begins until the ban is lifted", async () => {
    const browser = newBrowser();
    await browser.signIn(email, password);
    await change(`users/${userId}`, { banned: true });
    expect(await browser.sessionIds()).toEqual([]);
    expect(await newBrowser().signIn(email, password)).toBe("user_banned");
    expect((await client().users.getUser(userId)).banned).toBe(true);
    await change(`users/${userId}`, { banned: false });
    expect(await browser.sessionIds()).toEqual([]);
    expect(await newBrowser().signIn(email, password)).toMatch(/^sess_/);
  });

  test("a deleted user is gone, with the sessions", async () => {
    const browser = newBrowser();
    await browser.signIn(email, password);
    await change(`users/${userId}`, { deleted: true });
    expect(await browser.sessionIds()).toEqual([]);
    expect(await newBrowser().signIn(email, password)).toBe("form_identifier_not_found");
    await expect(client().users.getUser(userId)).rejects.toMatchObject({ status: 404 });
    await expect(client().billing.getUserBillingSubscription(userId)).rejects.toMatchObject({ status: 404 });
  });

  test("a user who was unknown comes into being, and can be signed in", async () => {
    await change("users/user_fresh", { features: ["one"] });
    const browser = newBrowser();
    for (const { name, value } of clerk.browserSession({ userId: "user_fresh" })) browser.cookies.set(name, value);
    const [sessionId = ""] = await browser.sessionIds();
    expect(await featuresOf(browser, sessionId)).toBe("u:one");
  });
});

describe("billing", () => {
  test("Clerk's own client reads the subscription, with the features of each item's plan", async () => {
    const periodEnd = Date.now() + 60_000;
    await change(`users/${userId}`, { features: ["one"], subscription: { status: "canceled", periodEnd } });
    const { subscriptionItems } = await client().billing.getUserBillingSubscription(userId);
    expect(
      subscriptionItems.map(({ status, periodEnd: end, plan }) => [
        status,
        end,
        plan?.features.map(({ slug }) => slug),
      ]),
    ).toEqual([
      ["active", null, []],
      ["canceled", periodEnd, ["one"]],
    ]);
  });

  test("it fails while it is down", async () => {
    await change(`users/${userId}`, { isBillingDown: true });
    await expect(client().billing.getUserBillingSubscription(userId)).rejects.toMatchObject({ status: 500 });
  });
});

describe("the events of a change", () => {
  test.each<[string, UserChangeOptions, string[]]>([
    ["a ban", { banned: true }, ["user.updated"]],
    ["a deletion", { deleted: true }, ["user.deleted"]],
    ["other features", { features: ["one"] }, ["subscription.updated", "subscriptionItem.active"]],
    [
      "a failed payment",
      { subscription: { status: "past_due", periodEnd: null } },
      ["subscription.updated", "subscriptionItem.pastDue"],
    ],
    ["an outage of billing", { isBillingDown: true }, []],
  ])("of %s reach the app, in a signature that Clerk's own code accepts", async (_title, options, types) => {
    expect(await change(`users/${userId}`, { ...options, at: 1_800_000_000_000 })).toMatchObject({
      status: 200,
      statuses: types.map(() => 202),
    });
    expect((await app.verified(clerk)).map(({ type, timestamp }) => [type, timestamp])).toEqual(
      types.map((type) => [type, 1_800_000_000_000]),
    );
    expect(app.received.every(({ url }) => url === `${app.origin}/api/webhooks/clerk`)).toBe(true);
  });

  test("name no features: those are only in the subscription that the backend API answers with", async () => {
    await change(`users/${userId}`, { features: ["a_feature"] });
    expect(JSON.stringify(await app.verified(clerk))).not.toContain("a_feature");
    const { subscriptionItems } = await client().billing.getUserBillingSubscription(userId);
    expect(JSON.stringify(subscriptionItems)).toContain("a_feature");
  });

  test("are kept back for a test that sends them itself", async () => {
    expect(await change(`users/${userId}`, { banned: true, deliver: false })).toMatchObject({
      events: [{ type: "user.updated" }],
      statuses: [],
    });
    expect(app.received).toEqual([]);
  });
});
