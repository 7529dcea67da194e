import { randomBytes } from "node:crypto";

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { expect, test } from "@playwright/test";
import { sql } from "drizzle-orm";

import { startLocalClerk } from "@/local/clerk";
import { findFreePort } from "@/local/free-port";
import { createDatabase } from "@/server/platform/database";
import { cachePurges } from "@/server/platform/schema";

import { environmentFor, startApp, withApp } from "../support/app-server";
import { bearerOf, callProcedure, createKeyOver, newHttpUser } from "../support/http-user";
import { newDatabase } from "../support/new-database";
import { storePendingRevocations } from "../support/pending-revocations";
import { startPostgresProxy } from "../support/postgres-proxy";
import { sendRaw } from "../support/raw-http";
import { signIn } from "../support/signed-in";

test.describe("a production start", () => {
  for (const name of [
    "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY",
    "CLERK_SECRET_KEY",
    "UPSTASH_REDIS_REST_URL",
    "DATABASE_URL",
    "APP_ORIGIN",
  ])
    test(`without ${name} ends with an error`, async () => {
      await expect(withApp({ [name]: undefined }, async () => {})).rejects.toThrow("ended before it answered (1)");
    });

  for (const [title, name, spoil] of [
    ["a line break in", "CLERK_SECRET_KEY", (value: string) => `${value}\n`],
    ["a space in", "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", (value: string) => `${value} `],
    ["another than the build's", "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", () => `pk_test_${btoa("clerk.example.com$")}`],
    ["a space in", "INTROSPECTION_SECRET", () => `${"x".repeat(40)} y`],
    ["no scheme in", "DATABASE_URL", () => "db.example.com/app"],
    ["a broken", "CLERK_JWT_KEY", (value: string) => value.replace("MII", "MIJ")],
  ] as const)
    test(`with ${title} ${name}, which could never work, ends with an error`, async () => {
      const spoilt = spoil(process.env[name] ?? "");
      await expect(withApp({ [name]: spoilt }, async () => {})).rejects.toThrow("ended before it answered (1)");
    });

  test("with the local sign-in ends with an error unless it is for end-to-end tests", async () => {
    await expect(withApp({ ALLOW_LOCAL_CLERK: undefined }, async () => {})).rejects.toThrow(
      "ended before it answered (1)",
    );
  });
});

test("a person signs in where the app's origin is written in capitals and with a slash", async ({ page }) => {
  const port = await findFreePort();
  const origin = `http://localhost:${port}`;
  const directory = await mkdtemp(join(tmpdir(), "latchkey-origin-"));
  // The run's own sign-in serves the run's own server only.
  const clerk = await startLocalClerk({ directory, appOrigin: origin });
  const settings = { ...clerk.environment, APP_ORIGIN: `HTTP://LocalHost:${port}/` };
  const app = await startApp(port, environmentFor(port, settings));
  try {
    await page.goto(`${origin}/settings/api-keys`);
    await signIn(page, "ada@example.test");
    await expect(page.getByRole("heading", { name: "API keys", exact: true })).toBeVisible();
  } finally {
    await app.stop();
    await clerk.stop();
    await rm(directory, { recursive: true, force: true });
  }
});

for (const [written, azp] of [
  ["https://App.Example.com:443/", "https://app.example.com"],
  ["HTTP://app.example.com:80", "http://app.example.com"],
  [" https://app.example.com\n", "https://app.example.com"],
] as const)
  test(`the procedures and the original endpoint agree about a session, with APP_ORIGIN=${JSON.stringify(written)}`, async ({
    request,
  }) => {
    const settings = {
      APP_ORIGIN: written,
      // As .env files hold it, and nothing to ask instead of it.
      CLERK_JWT_KEY: process.env.CLERK_JWT_KEY?.replaceAll("\n", "\\n"),
      CLERK_API_URL: "http://127.0.0.1:9",
    };
    await withApp(settings, async (origin) => {
      const statusesOf = async (party: string) => {
        const headers = bearerOf(await newHttpUser({ azp: party }));
        const list = await request.get(`${origin}/api/trpc/apiKeys.list`, { headers });
        const data = { keyHash: "0".repeat(64) };
        const invalidate = await request.post(`${origin}/api/invalidate-user-api-key-cache`, { headers, data });
        return [list.status(), invalidate.status()];
      };
      expect(await statusesOf(azp)).toEqual([200, 200]);
      expect(await statusesOf("https://other.example.com")).toEqual([401, 401]);
    });
  });

test("an outage of the signing keys is an outage, and no verdict on a session", async ({ request }) => {
  // Without the public key in its settings the app asks Clerk's API for it, and nothing listens there.
  await withApp({ CLERK_JWT_KEY: undefined, CLERK_API_URL: "http://127.0.0.1:9" }, async (origin) => {
    const { authorization } = await newHttpUser({ azp: origin });
    const list = await request.get(`${origin}/api/trpc/apiKeys.list`, { headers: { authorization } });
    expect(list.status()).toBe(503);
    expect(await list.json()).toMatchObject({ error: { json: { data: { domainCode: "SERVICE_UNAVAILABLE" } } } });
    const invalidate = await request.post(`${origin}/api/invalidate-user-api-key-cache`, {
      headers: { authorization },
      data: {},
    });
    expect(invalidate.status()).toBe(503);
    expect(await invalidate.json()).toEqual({ error: "Service unavailable" });
    expect((await request.get(`${origin}/api/trpc/apiKeys.list`)).status()).toBe(401);
  });
});

test("a database that dies while committing is asked again, and one that is gone is an outage", async ({ request }) => {
  const database = await startPostgresProxy(process.env.DATABASE_URL ?? "");
  await withApp({ DATABASE_URL: database.url, API_KEY_ENVIRONMENT: "test" }, async (origin) => {
    const user = await newHttpUser({ azp: origin });
    const other = await newHttpUser({ userId: user.userId });
    const { key } = await createKeyOver(request, other);
    const post = (procedure: string, json: object) =>
      request.post(`${origin}/api/trpc/apiKeys.${procedure}`, { headers: bearerOf(user), data: { json } });

    let commits = 0;
    database.decide = (statement) => (statement.startsWith("COMMIT") && commits++ === 0 ? "break after" : "pass");
    const revoked = await post("revoke", { id: key.id });
    expect(commits).toBe(2);
    expect(await revoked.json()).toMatchObject({ result: { data: { json: { effect: { status: "effective" } } } } });

    database.decide = () => "pass";
    database.sever();
    const list = await request.get(`${origin}/api/trpc/apiKeys.list`, { headers: bearerOf(user) });
    expect(list.status()).toBe(503);
    expect(await list.json()).toMatchObject({ error: { json: { data: { domainCode: "SERVICE_UNAVAILABLE" } } } });
    const ready = await request.get(`${origin}/api/health/ready`);
    expect([ready.status(), await ready.json()]).toEqual([
      503,
      expect.objectContaining({ postgres: "unreachable", redis: "ok" }),
    ]);
  });
  await database.stop();
});

test("a server that is told to end writes the uses it has counted, though nothing else holds it and the database takes its time", async ({
  request,
}) => {
  const port = await findFreePort();
  const database = await startPostgresProxy(process.env.DATABASE_URL ?? "");
  const changes = { DATABASE_URL: database.url, API_KEY_ENVIRONMENT: "test" };
  const app = await startApp(port, environmentFor(port, changes));
  const user = await newHttpUser();
  const { key, secret } = await createKeyOver(request, user);
  // On a connection of its own: an open one would hold the server for some seconds.
  const whoami = () => sendRaw(`http://localhost:${port}/api/v1/whoami`, "GET", [["X-API-Key", secret]]);
  const written = async () => {
    const { result } = await callProcedure(request, user, "usage", { id: key.id });
    const { last24Hours } = result as { last24Hours: { count: number }[] };
    return last24Hours.reduce((sum, { count }) => sum + count, 0);
  };
  try {
    // The first use is written at once, the others wait for the next write.
    expect((await whoami()).status).toBe(200);
    await expect.poll(written).toBe(1);
    for (let use = 1; use < 5; use++) expect((await whoami()).status).toBe(200);
    database.decide = () => sleep(300, "pass" as const);
  } finally {
    await app.stop();
    await database.stop();
  }
  expect(await written()).toBe(5);
});

test("operators reach metrics and the purge cron with their secrets, and nobody without", async ({ request }) => {
  const [METRICS_SECRET, CRON_SECRET] = [randomBytes(24).toString("hex"), randomBytes(24).toString("hex")];
  const DATABASE_URL = await newDatabase(process.env.DATABASE_URL ?? "", "operators");
  // A line break at the end, as a mounted file brings it, is no part of a secret: no header could carry it.
  const secrets = { METRICS_SECRET: `${METRICS_SECRET}\n`, CRON_SECRET: ` ${CRON_SECRET} ` };
  await withApp({ ...secrets, DATABASE_URL }, async (origin) => {
    const get = (path: string, secret: string) =>
      request.get(origin + path, { headers: { authorization: `Bearer ${secret}` } });
    expect((await get("/api/metrics", CRON_SECRET)).status()).toBe(401);
    expect((await get("/api/cron/purge", `${CRON_SECRET}x`)).status()).toBe(401);
    expect(await (await get("/api/cron/purge", CRON_SECRET)).json()).toEqual({ confirmed: 0, failed: 0 });
    await request.get(`${origin}/api/v1/whoami`, { headers: { "x-api-key": "lk_live_x" } });
    const metrics = await get("/api/metrics", METRICS_SECRET);
    expect(metrics.headers()["content-type"]).toContain("text/plain");
    const text = await metrics.text();
    for (const name of ["latchkey_pending_purges 0", "latchkey_oldest_pending_purge_seconds 0"])
      expect(text).toContain(name);
    expect(text).toContain('latchkey_verification_seconds_count{result="malformed"} 1');
  });
});

test("the purge cron tries what waits, due or not", async ({ request }) => {
  const CRON_SECRET = randomBytes(24).toString("hex");
  const DATABASE_URL = await newDatabase(process.env.DATABASE_URL ?? "", "cron");
  const db = createDatabase(DATABASE_URL);
  await storePendingRevocations(db, 3);
  await db.update(cachePurges).set({ nextAttemptAt: sql`now() + interval '1 hour'` });
  await db.close();
  await withApp({ CRON_SECRET, DATABASE_URL }, async (origin) => {
    const headers = { authorization: `Bearer ${CRON_SECRET}` };
    const drain = async () => (await request.get(`${origin}/api/cron/purge`, { headers })).json() as Promise<unknown>;
    expect(await drain()).toEqual({ confirmed: 3, failed: 0 });
    expect(await drain()).toEqual({ confirmed: 0, failed: 0 });
  });
});
