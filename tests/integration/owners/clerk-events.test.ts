import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createClerkClient } from "@clerk/backend";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { applyClerkEvent } from "@/server/clerk/apply-event";
import { type Payer, readSubscriptionAccess } from "@/server/clerk/plans";
import { startLocalClerk, type LocalClerk, type UserChangeOptions, type WebhookEvent } from "@/local/clerk";
import { verifyApiKey } from "@/server/keys";
import { owners } from "@/server/platform/schema";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import type { TestServer } from "@/tests/support/server-instance";

let directory: string;
let clerk: LocalClerk;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "local-clerk-"));
  clerk = await startLocalClerk({ directory, appOrigin: "http://localhost:3997" });
});
afterAll(async () => {
  await clerk.stop();
  await rm(directory, { recursive: true });
});

const newUserId = () => `user_${randomUUID().replaceAll("-", "")}`;
const billing = () =>
  createClerkClient({
    secretKey: clerk.environment.CLERK_SECRET_KEY ?? "",
    apiUrl: clerk.environment.CLERK_API_URL ?? "",
  }).billing;
const readAccess = (owner: Payer) => readSubscriptionAccess(billing(), owner, "api_access");

/** Changes the user at the stand-in and answers with the events of it, which nobody has sent yet. */
async function change(userId: string, options: UserChangeOptions): Promise<WebhookEvent[]> {
  const response = await fetch(`${clerk.environment.CLERK_API_URL}/local/users/${userId}`, {
    method: "POST",
    headers: { authorization: `Bearer ${clerk.environment.CLERK_SECRET_KEY}` },
    body: JSON.stringify({ deliver: false, ...options }),
  });
  return ((await response.json()) as { events: WebhookEvent[] }).events;
}

async function apply(server: TestServer, events: WebhookEvent[]) {
  for (const event of events) await applyClerkEvent(server, event, readAccess);
}

const ownerRow = async (server: TestServer, id: string) => {
  const [row] = await server.db.select().from(owners).where(eq(owners.id, id));
  return row;
};

const revoked = { valid: false, reason: "revoked" };
const accessRequired = { valid: false, reason: "access_required" };

describe("Clerk's events where a feature is required", () => {
  const server = useTestServer("embedded", { accessFeature: "api_access" });

  async function subscriber() {
    const userId = newUserId();
    await apply(server(), await change(userId, { features: ["api_access"] }));
    const caller = newCaller({ ownerId: userId, hasAccessClaim: true });
    const { secret } = await createKeyOf(server(), caller);
    await verifyApiKey(server(), secret);
    await server().runDeferred();
    return { userId, caller, secret };
  }

  it("a plan with the feature lets keys verify, one without it stops them, and its return lets them verify again", async () => {
    const { userId, secret } = await subscriber();
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    await apply(server(), await change(userId, { features: ["other"] }));
    expect(await verifyApiKey(server(), secret)).toEqual(accessRequired);
    await apply(server(), await change(userId, { features: ["other", "api_access"] }));
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
  });

  it("a canceled plan grants access until the period that was paid for ends, an ended one none", async () => {
    const { userId } = await subscriber();
    const periodEnd = Date.now() + 86_400_000;
    await apply(server(), await change(userId, { subscription: { status: "canceled", periodEnd } }));
    expect(await ownerRow(server(), userId)).toMatchObject({ accessAllowed: true, accessUntil: new Date(periodEnd) });
    await apply(server(), await change(userId, { subscription: { status: "ended", periodEnd } }));
    expect(await ownerRow(server(), userId)).toMatchObject({ accessAllowed: false, accessUntil: null });
  });

  it("an event is only a signal: a late one writes what is so now, and nothing over what a newer one wrote", async () => {
    const { userId } = await subscriber();
    const at = Date.now();
    const late = await change(userId, { features: [], at: at + 1_000 });
    const newer = await change(userId, { features: ["api_access"], at: at + 2_000 });
    await apply(server(), late);
    expect(await ownerRow(server(), userId)).toMatchObject({ accessAllowed: true });
    await apply(server(), newer);
    // What the user has now is no longer what it was when the newer event was handled; the late one must not tell it.
    await change(userId, { features: [] });
    await apply(server(), late);
    expect(await ownerRow(server(), userId)).toMatchObject({
      accessAllowed: true,
      accessEventAt: new Date(at + 2_000),
    });
  });

  it("a subscription that cannot be read fails the event and leaves the row as it is; the repeated event succeeds", async () => {
    const { userId, secret } = await subscriber();
    const before = await ownerRow(server(), userId);
    const events = await change(userId, { features: [], isBillingDown: true });
    await expect(apply(server(), events)).rejects.toMatchObject({ status: 500 });
    expect(await ownerRow(server(), userId)).toEqual(before);
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    await change(userId, { isBillingDown: false });
    await apply(server(), events);
    expect(await verifyApiKey(server(), secret)).toEqual(accessRequired);
  });

  it.each([
    ["hangs", () => new Promise(() => undefined)],
    ["is empty", () => Promise.resolve(undefined)],
    ["is text", () => Promise.resolve("<html>")],
    ["has no items", () => Promise.resolve({ object: "something else" })],
    ["is a 404 that Clerk did not word", () => Promise.reject(Object.assign(new Error("404"), { status: 404 }))],
  ])("an answer that %s is no answer: nothing is known of the plan", async (_title, read) => {
    const unread = { getUserBillingSubscription: read, getOrganizationBillingSubscription: read };
    for (const kind of ["user", "organization"] as const)
      await expect(readSubscriptionAccess(unread, { kind, id: "x" }, "api_access")).rejects.toThrow();
  });

  it("a user without a subscription has no access", async () => {
    expect(await readAccess({ kind: "user", id: newUserId() })).toEqual({ allowed: false, until: null });
  });

  it("a ban does not wait for a subscription that cannot be read", async () => {
    const { userId, secret } = await subscriber();
    await apply(server(), await change(userId, { banned: true, isBillingDown: true }));
    expect(await verifyApiKey(server(), secret)).toEqual(revoked);
  });

  it("unbanned, the owner gets the access of the plan as it is then", async () => {
    const { userId, caller, secret } = await subscriber();
    const at = Date.now();
    await apply(server(), await change(userId, { banned: true, at }));
    await change(userId, { features: [] });
    await apply(server(), await change(userId, { banned: false, at: at + 1_000 }));
    await expect(createKeyOf(server(), caller)).rejects.toMatchObject({
      message: expect.stringMatching(/plan/) as string,
    });
    await apply(server(), await change(userId, { features: ["api_access"], at: at + 2_000 }));
    const fresh = await createKeyOf(server(), caller);
    expect(await verifyApiKey(server(), fresh.secret)).toMatchObject({ valid: true });
    expect(await verifyApiKey(server(), secret)).toEqual(revoked);
  });

  it("a deleted user's keys stop, and nothing that comes later opens the account again", async () => {
    const { userId, caller, secret } = await subscriber();
    const at = Date.now();
    const late = await change(userId, { banned: false, features: ["api_access"], at: at + 1_000 });
    await apply(server(), await change(userId, { deleted: true, at }));
    expect(await verifyApiKey(server(), secret)).toEqual(revoked);
    await apply(server(), late);
    await expect(createKeyOf(server(), caller)).rejects.toMatchObject({ code: "API_ACCESS_REQUIRED" });
  });

  it.each([
    ["a session's", "session.created", { user_id: "user_x" }],
    ["a new user's", "user.created", { id: "user_x", banned: false }],
    ["a new organisation's", "organization.created", { id: "org_x", name: "X" }],
    ["a new role's", "organizationMembership.updated", { role: "org:admin" }],
    ["a subscription's of nobody", "subscription.updated", { payer: {} }],
    ["a payment's", "paymentAttempt.updated", { payer: { user_id: "user_x" } }],
    ["tomorrow's", "subscriptions.merged", { payer: { user_id: "user_x" } }],
  ])("%s event changes nothing and reads nothing", async (_title, type, data) => {
    server().postgresProxy.statements.length = 0;
    const event = { object: "event" as const, type, timestamp: Date.now(), instance_id: "ins_local", data };
    await applyClerkEvent(server(), event, () => Promise.reject(new Error("read")));
    expect(server().postgresProxy.statements).toEqual([]);
  });

  it.each([
    ["no user", "user.deleted", { deleted: true }, Date.now()],
    ["an empty user", "user.deleted", { id: "", deleted: true }, Date.now()],
    ["no word on bans", "user.updated", { id: "user_x" }, Date.now()],
    ["no organisation", "organization.deleted", { deleted: true }, Date.now()],
    ["no member", "organizationMembership.deleted", { organization: { id: "org_x" } }, Date.now()],
    [
      "no organisation of the member",
      "organizationMembership.created",
      { public_user_data: { user_id: "user_x" } },
      Date.now(),
    ],
    ["a time in seconds", "user.deleted", { id: "user_x" }, Math.floor(Date.now() / 1_000)],
    ["a time in microseconds", "user.deleted", { id: "user_x" }, Date.now() * 1_000],
    ["no time", "subscription.updated", { payer: { user_id: "user_x" } }, undefined],
  ])("an event with %s fails, so that it comes again, and changes nothing", async (_title, type, data, timestamp) => {
    server().postgresProxy.statements.length = 0;
    await expect(
      applyClerkEvent(server(), { type, timestamp, data } as { type: string }, readAccess),
    ).rejects.toThrow();
    expect(server().postgresProxy.statements).toEqual([]);
  });
});

describe("Clerk's events where no feature is required", () => {
  const server = useTestServer("embedded");

  it("subscriptions are not read; bans and deletions count all the same", async () => {
    const userId = newUserId();
    const caller = newCaller({ ownerId: userId });
    const { secret } = await createKeyOf(server(), caller);
    await apply(server(), await change(userId, { features: [], isBillingDown: true }));
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    const at = Date.now();
    await apply(server(), await change(userId, { banned: true, at }));
    expect(await verifyApiKey(server(), secret)).toEqual(revoked);
    await apply(server(), await change(userId, { banned: false, at: at + 1_000 }));
    const fresh = await createKeyOf(server(), caller);
    await apply(server(), await change(userId, { deleted: true, at: at + 2_000 }));
    expect(await verifyApiKey(server(), fresh.secret)).toEqual(revoked);
  });
});
