import { type APIRequestContext, type BrowserContext, expect, test } from "@playwright/test";

import { loadLocalKeys, signWebhook, type UserChangeOptions, type WebhookEvent } from "@/local/clerk";
import { findFreePort } from "@/local/free-port";
import { productionEnvironment } from "@/local/production-environment";

import { startApp } from "../support/app-server";
import { callProcedure, createKeyOver, type HttpUser, newHttpUser } from "../support/http-user";
import { createKey, rowOf, startRevoking, textOn } from "../support/settings-page";

const path = "/api/webhooks/clerk";

type ClerkWindow = { Clerk?: { session?: { getToken(options: { skipCache: boolean }): Promise<string | null> } } };

/** Changes a user at the sign-in, which sends the app the events of it. @returns the events, and how each was answered. */
async function change(request: APIRequestContext, userId: string, data: UserChangeOptions) {
  const answer = await request.post(`${process.env.CLERK_API_URL}/local/users/${userId}`, {
    headers: { authorization: `Bearer ${process.env.CLERK_SECRET_KEY}` },
    data,
  });
  return (await answer.json()) as { events: WebhookEvent[]; statuses: number[] };
}

/** Sends the event as Clerk would, signed at `sentAt`. */
async function send(
  request: APIRequestContext,
  event: WebhookEvent,
  { origin = "", sentAt = Date.now() }: { origin?: string; sentAt?: number } = {},
) {
  const { webhookSecret } = await loadLocalKeys(process.env.LOCAL_CLERK_DIRECTORY ?? "");
  const body = JSON.stringify(event);
  const signed = signWebhook(webhookSecret, body, { sentAt });
  return request.post(origin + path, { headers: signed, data: Buffer.from(body) });
}

async function whoami(request: APIRequestContext, secret: string) {
  const answer = await request.get("/api/v1/whoami", { headers: { "x-api-key": secret } });
  return { status: answer.status(), code: ((await answer.json()) as { code?: string }).code };
}

/** A user whose plan includes API access, with a key that is in use. */
async function subscriber(request: APIRequestContext): Promise<{ user: HttpUser; id: string; secret: string }> {
  const user = await newHttpUser();
  const { statuses } = await change(request, user.userId, { features: ["api_access"] });
  expect(statuses).toEqual([200, 200]);
  const { key, secret } = await createKeyOver(request, user);
  for (let use = 0; use < 2; use++) expect(await whoami(request, secret)).toEqual({ status: 200 });
  return { user, id: key.id, secret };
}

const create = (request: APIRequestContext, user: HttpUser) =>
  callProcedure(request, user, "create", { name: "Another", requestId: crypto.randomUUID() });
const accessRequired = { status: 403, error: { data: { domainCode: "API_ACCESS_REQUIRED" } } };

test.describe("access", () => {
  test("a lapsed plan stops the keys at once; the owner still sees, renames and revokes them; its return lets them work again", async ({
    request,
  }) => {
    const { user, id, secret } = await subscriber(request);
    const other = await createKeyOver(request, user, "Other");
    await change(request, user.userId, { features: [] });
    expect(await whoami(request, secret)).toEqual({ status: 403, code: "api_access_required" });
    // The session is from before: its claim grants nothing.
    expect(await create(request, user)).toMatchObject(accessRequired);
    expect(await callProcedure(request, user, "list")).toMatchObject({
      result: { keys: [{ status: "active" }, { status: "active" }], access: { allowed: false } },
    });
    expect((await callProcedure(request, user, "rename", { id, name: "Renamed" })).status).toBe(200);
    expect((await callProcedure(request, user, "revoke", { id: other.key.id })).status).toBe(200);

    await change(request, user.userId, { features: ["api_access"] });
    expect(await whoami(request, secret)).toEqual({ status: 200 });
    expect(await whoami(request, other.secret)).toEqual({ status: 401, code: "api_key_revoked" });
    expect((await create(request, user)).status).toBe(200);
  });

  test("a canceled plan works until its period ends", async ({ request }) => {
    const { user, secret } = await subscriber(request);
    const subscription = { status: "canceled" as const, periodEnd: Date.now() + 3_600_000 };
    await change(request, user.userId, { subscription });
    expect(await whoami(request, secret)).toEqual({ status: 200 });
    await change(request, user.userId, { subscription: { ...subscription, periodEnd: Date.now() - 1 } });
    expect(await whoami(request, secret)).toEqual({ status: 403, code: "api_access_required" });
  });

  test("a deleted user's keys are revoked, and the account stays closed", async ({ request }) => {
    const { user, secret } = await subscriber(request);
    const unban = await change(request, user.userId, { banned: false, at: Date.now() + 60_000, deliver: false });
    expect((await change(request, user.userId, { deleted: true })).statuses).toEqual([200]);
    expect(await whoami(request, secret)).toEqual({ status: 401, code: "api_key_revoked" });
    for (const event of unban.events) expect((await send(request, event)).status()).toBe(200);
    expect(await create(request, user)).toMatchObject(accessRequired);
    expect(await callProcedure(request, user, "list")).toMatchObject({ result: { keys: [{ revokedBy: "account" }] } });
  });

  test("of a ban and creates at the same moment no key survives; unbanned, the user creates again", async ({
    request,
  }) => {
    const { user, secret } = await subscriber(request);
    const [, ...creates] = await Promise.all([
      change(request, user.userId, { banned: true }),
      ...Array.from({ length: 4 }, () => create(request, user)),
    ]);
    const secrets = creates.flatMap(({ result }) => (result ? [(result as { secret: string }).secret] : []));
    for (const dead of [secret, ...secrets])
      expect(await whoami(request, dead)).toEqual({ status: 401, code: "api_key_revoked" });
    expect((await change(request, user.userId, { banned: false })).statuses).toEqual([200]);
    expect((await create(request, user)).status).toBe(200);
    expect(await whoami(request, secret)).toEqual({ status: 401, code: "api_key_revoked" });
  });

  test("an event that comes late, and twice, does not overwrite what a newer one said", async ({ request }) => {
    const { user, secret } = await subscriber(request);
    const at = Date.now() + 1_000;
    await change(request, user.userId, { features: [], at });
    const late = await change(request, user.userId, { features: ["api_access"], at: at - 1, deliver: false });
    for (const event of [...late.events, ...late.events]) expect((await send(request, event)).status()).toBe(200);
    expect(await whoami(request, secret)).toEqual({ status: 403, code: "api_access_required" });
  });

  test("a subscription that cannot be read is answered 503 and changes nothing; sent again, the event counts", async ({
    request,
  }) => {
    const { user, secret } = await subscriber(request);
    const { events, statuses } = await change(request, user.userId, { features: [], isBillingDown: true });
    expect(statuses).toEqual([503, 503]);
    expect(await whoami(request, secret)).toEqual({ status: 200 });
    await change(request, user.userId, { isBillingDown: false });
    for (const event of events) expect((await send(request, event)).status()).toBe(200);
    expect(await whoami(request, secret)).toEqual({ status: 403, code: "api_access_required" });
  });

  test("the page tells a user whose plan lapsed, lets the key be revoked, and lets keys be created when the plan is back", async ({
    page,
    request,
  }) => {
    const { userId } = await newHttpUser();
    await change(request, userId, { features: ["api_access"] });
    const answer = await request.post(`${process.env.CLERK_API_URL}/local/browser-sessions`, {
      headers: { authorization: `Bearer ${process.env.CLERK_SECRET_KEY}` },
      data: { userId },
    });
    const { cookies } = (await answer.json()) as { cookies: Parameters<BrowserContext["addCookies"]>[0] };
    await page.context().addCookies(cookies);
    await page.goto("/settings/api-keys");
    await createKey(page, "From before");

    await change(request, userId, { features: [] });
    await page.reload();
    await expect(textOn(page, "Your plan does not include API access")).toBeVisible();
    await expect(rowOf(page, "From before")).toBeVisible();
    const confirmation = await startRevoking(page, "From before");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(confirmation.getByRole("status")).toContainText("Effective since");

    await change(request, userId, { features: ["api_access"] });
    // The session's claim is up to a minute old. It is renewed here, as it would be by itself.
    await page.waitForFunction(() => (window as unknown as ClerkWindow).Clerk?.session);
    await page.evaluate(() => (window as unknown as ClerkWindow).Clerk?.session?.getToken({ skipCache: true }));
    await page.reload();
    await expect(page.getByText("Your plan does not include API access")).toHaveCount(0);
    await createKey(page, "From after");
  });
});

test.describe("the webhook's endpoint", () => {
  const deletion = (id: string): WebhookEvent => ({
    object: "event",
    type: "user.deleted",
    timestamp: Date.now(),
    instance_id: "ins_local",
    data: { object: "user", id, deleted: true },
  });

  test("does nothing without Clerk's signature over exactly this body, id and time", async ({ request }) => {
    const { user, secret } = await subscriber(request);
    const event = deletion(user.userId);
    const { webhookSecret } = await loadLocalKeys(process.env.LOCAL_CLERK_DIRECTORY ?? "");
    const body = JSON.stringify(event);
    const signed = signWebhook(webhookSecret, body);
    const other = signWebhook(`whsec_${Buffer.from("another secret").toString("base64")}`, body);
    const { "svix-signature": _signature, ...unsigned } = signed;
    const forgeries: [string, Record<string, string>, string][] = [
      ["no header at all", {}, body],
      ["no signature", unsigned, body],
      ["another secret", other, body],
      ["another body", signed, JSON.stringify({ ...event, timestamp: event.timestamp + 1 })],
      ["another id", { ...signed, "svix-id": "msg_other" }, body],
      ["another time", { ...signed, "svix-timestamp": String(Number(signed["svix-timestamp"]) + 1) }, body],
      [
        "another version",
        { ...signed, "svix-signature": (signed["svix-signature"] ?? "").replace("v1,", "v2,") },
        body,
      ],
      ["no body", signed, ""],
    ];
    for (const [forgery, headers, data] of forgeries) {
      const answer = await request.post(path, { headers, data: Buffer.from(data) });
      expect({ forgery, status: answer.status(), body: (await answer.json()) as object }).toEqual({
        forgery,
        status: 400,
        body: { error: "The signature is missing, wrong or too old" },
      });
    }
    expect((await send(request, event, { sentAt: Date.now() - 600_000 })).status()).toBe(400);
    expect(await whoami(request, secret)).toEqual({ status: 200 });
    expect((await send(request, event)).status()).toBe(200);
    expect(await whoami(request, secret)).toEqual({ status: 401, code: "api_key_revoked" });
  });

  test("answers events that are of no concern with 200, a huge body with 413, other methods with 405", async ({
    request,
  }) => {
    expect((await send(request, { ...deletion("user_x"), type: "session.created" })).status()).toBe(200);
    const huge = { ...deletion("user_x"), data: { padding: "x".repeat(300_000) } };
    expect((await send(request, huge)).status()).toBe(413);
    for (const method of ["GET", "PUT", "DELETE"]) expect((await request.fetch(path, { method })).status()).toBe(405);
  });

  test("is not there where no signing secret is set", async ({ request }) => {
    const names = ["NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "CLERK_SECRET_KEY", "DATABASE_URL"];
    const redisNames = ["UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"];
    const settings = Object.fromEntries([...names, ...redisNames].map((name) => [name, process.env[name]]));
    const port = await findFreePort();
    const origin = `http://localhost:${port}`;
    const app = await startApp(port, { ...productionEnvironment(), ...settings, APP_ORIGIN: origin });
    try {
      expect((await send(request, deletion("user_x"), { origin })).status()).toBe(404);
    } finally {
      await app.stop();
    }
  });
});
