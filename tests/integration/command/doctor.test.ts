import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { directPlaceOf, emptyDatabaseUrl, redisKinds, testDatabaseUrl, testRedis } from "@/tests/support/services";
import { runLatchkey } from "@/tests/support/latchkey-command";
import { redisSettingsOf, runWith } from "@/tests/support/operator";
import { startPostgresProxy } from "@/tests/support/postgres-proxy";
import { startRedisProxy } from "@/tests/support/redis-proxy";
import { startStandby } from "@/tests/support/standby";

interface Report {
  ok: boolean;
  checks: { name: string; ok: boolean; sentence: string }[];
}

const all = [
  ...["settings", "database", "migrations", "primary", "synchronous_commit"],
  ...["redis", "eviction_policy", "clocks", "purges", "events"],
];
const production = {
  NODE_ENV: "production",
  NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k",
  CLERK_SECRET_KEY: "sk_live_anything",
  APP_ORIGIN: "https://app.example.com",
};
const redisSettings = (redis: { url: string; token: string } = testRedis("embedded")) => redisSettingsOf(redis);
const healthy = async () => ({ ...redisSettings(), DATABASE_URL: await testDatabaseUrl() });

const started: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of started.splice(0)) await one.stop();
});

/** Runs `doctor --json`, and without. Both must say the same, and hold no password and no token. */
async function examine(environment: Record<string, string>, others: { hasClerk?: boolean; now?: () => number } = {}) {
  const json = await runWith(["doctor", "--json"], { environment, ...others });
  const report = JSON.parse(json.output) as Report;
  const failed = report.checks.filter(({ ok }) => !ok).map(({ name }) => name);
  expect(report.checks.map(({ name }) => name)).toEqual(all);
  expect(json.code).toBe(failed.length > 0 ? 1 : 0);
  expect(report.ok).toBe(failed.length === 0);
  for (const { sentence } of report.checks) expect(sentence).toMatch(/^\S.*\.$/);
  const password =
    environment.DATABASE_URL && URL.canParse(environment.DATABASE_URL) && new URL(environment.DATABASE_URL).password;
  for (const value of [password, environment.UPSTASH_REDIS_REST_TOKEN, environment.CLERK_SECRET_KEY])
    if (value) expect(json.output + json.errors).not.toContain(value);
  const sentenceOf = (name: string) => report.checks.find((check) => check.name === name)?.sentence ?? "";
  return { ...json, report, failed, sentenceOf };
}

async function query(url: string, statement: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(statement);
  } finally {
    await client.end();
  }
}

const inDatabase = (url: string, setting: string) =>
  query(url, `do $$ begin execute format('alter database %I set ${setting}', current_database()); end $$`);

describe("latchkey doctor", () => {
  it.each(redisKinds)("finds nothing wrong with a healthy deployment on %s, and says so", async (kind) => {
    const environment = { ...redisSettingsOf(directPlaceOf(kind)), DATABASE_URL: await testDatabaseUrl() };
    for (const mode of [{}, production]) {
      const { failed, errors } = await examine({ ...environment, ...mode });
      expect([failed, errors]).toEqual([[], ""]);
    }
    if (kind !== "embedded") expect((await examine(environment)).sentenceOf("eviction_policy")).toContain("noeviction");
    const text = await runWith(["doctor"], { environment });
    expect(text).toMatchObject({ code: 0, errors: "All is well.\n" });
    expect(text.output.match(/^ok {5}/gm)).toHaveLength(all.length);
  });

  it("names every setting that is missing or malformed, and makes the other checks all the same", async () => {
    const environment = {
      ...(await healthy()),
      ...production,
      APP_ORIGIN: "nonsense",
      CRON_SECRET: "short",
      CLERK_SECRET_KEY: "",
    };
    const { failed, sentenceOf, output } = await examine(environment);
    expect(failed).toEqual(["settings"]);
    for (const name of ["APP_ORIGIN", "CRON_SECRET", "CLERK_SECRET_KEY"])
      expect(sentenceOf("settings")).toContain(name);
    expect(sentenceOf("settings")).not.toContain("PUBLISHABLE");
    expect(output).not.toMatch(/nonsense|"short/);
  });

  it("misses Clerk's keys in production, and not in development nor in an app without Clerk", async () => {
    const environment = await healthy();
    expect((await examine({ ...environment, NODE_ENV: "production" })).sentenceOf("settings")).toMatch(
      /PUBLISHABLE_KEY is not set.*CLERK_SECRET_KEY is not set.*APP_ORIGIN is not set/,
    );
    expect((await examine(environment)).failed).toEqual([]);
    expect((await examine({ ...environment, NODE_ENV: "production" }, { hasClerk: false })).failed).toEqual([]);
    expect((await examine({ ...environment, CLERK_SECRET_KEY: "sk_test_x" })).sentenceOf("settings")).toContain(
      "PUBLISHABLE_KEY is not set",
    );
  });

  it("says which checks it could not make for want of a setting", async () => {
    const { failed, sentenceOf } = await examine({});
    expect(failed).toEqual(all);
    expect(sentenceOf("settings")).toMatch(/UPSTASH_REDIS_REST_URL is not set.*DATABASE_URL is not set/);
  });

  it("says that a database has no tables, and makes none", async () => {
    const DATABASE_URL = await emptyDatabaseUrl();
    const { failed, sentenceOf } = await examine({ ...redisSettings(), DATABASE_URL });
    expect(failed).toEqual(["migrations", "purges", "events"]);
    expect(sentenceOf("migrations")).toContain("no tables");
    expect(sentenceOf("migrations")).toContain("latchkey migrate");
    expect(
      (await query(DATABASE_URL, "select from pg_namespace where nspname in ('latchkey', 'drizzle')")).rowCount,
    ).toBe(0);
  });

  it("counts migrations that are not applied, and minds none of a newer version", async () => {
    const environment = await healthy();
    const { DATABASE_URL } = environment;
    await query(DATABASE_URL, "insert into latchkey.migrations (hash, created_at) values ('x', 9999999999999)");
    const newer = await examine(environment);
    expect([newer.failed, newer.sentenceOf("migrations")]).toEqual([[], "All are applied. Of a newer version: 1."]);
    await query(DATABASE_URL, "delete from latchkey.migrations where id in (2, 3)");
    const older = await examine(environment);
    expect(older.failed).toEqual(["migrations"]);
    expect(older.sentenceOf("migrations")).toContain("not applied: 2");
  });

  it("complains of synchronous_commit = off, and takes any other", async () => {
    const environment = await healthy();
    await inDatabase(environment.DATABASE_URL, "synchronous_commit = off");
    const { failed, sentenceOf } = await examine(environment);
    expect(failed).toEqual(["synchronous_commit"]);
    expect(sentenceOf("synchronous_commit")).toContain("can lose a revocation");
    await inDatabase(environment.DATABASE_URL, "synchronous_commit = local");
    expect((await examine(environment)).failed).toEqual([]);
  });

  it("complains of a database that takes no changes", async () => {
    const environment = await healthy();
    await inDatabase(environment.DATABASE_URL, "default_transaction_read_only = on");
    const { failed, sentenceOf } = await examine(environment);
    expect(failed).toEqual(["primary"]);
    expect(sentenceOf("primary")).toContain("read only");
  });

  describe("on a replica", () => {
    let standby: Awaited<ReturnType<typeof startStandby>> | undefined;
    beforeAll(async () => {
      standby = await startStandby();
    });
    afterAll(() => standby?.stop());

    it("complains of it, and reads everything else", async () => {
      const { failed, sentenceOf } = await examine({ ...redisSettings(), DATABASE_URL: standby?.url ?? "" });
      expect(failed).toEqual(["primary"]);
      expect(sentenceOf("primary")).toContain("is a replica");
    });
  });

  it.each([
    ["refuses", "refuse" as const, "does not take a purge"],
    ["loses the answer", "lose" as const, "does not take a purge"],
    ["never answers", "hang" as const, "no answer in time"],
    ["answers something else", { status: 200, body: '[{"result":"OK"}]' }, "does not give back the echo"],
    [
      "refuses the command",
      { status: 200, body: '[{"error":"NOPERM this user has no permissions"}]' },
      "does not give back the echo",
    ],
    ["refuses the token", { status: 401, body: '{"error":"WRONGPASS"}' }, "does not take a purge"],
  ])("complains of a Redis that %s", async (_title, fate, words) => {
    const redis = testRedis("embedded");
    const proxy = await startRedisProxy(redis.url);
    started.push(proxy);
    proxy.decide = (body) => (body.includes("'DEL'") ? fate : "pass");
    const environment = { ...redisSettings({ ...redis, url: proxy.url }), DATABASE_URL: await testDatabaseUrl() };
    const { failed, sentenceOf } = await examine(environment);
    expect(failed).toEqual(["redis"]);
    expect(sentenceOf("redis")).toContain(words);
    proxy.decide = () => fate;
    expect((await examine(environment)).failed).toEqual(["redis", "clocks"]);
  });

  it("tells the policy of eviction where Redis tells it, and never fails for it", async () => {
    const redis = testRedis("embedded");
    const proxy = await startRedisProxy(redis.url);
    started.push(proxy);
    const environment = { ...redisSettings({ ...redis, url: proxy.url }), DATABASE_URL: await testDatabaseUrl() };
    const answerOf = async (info: string) => {
      const body = JSON.stringify({ result: info });
      proxy.decide = (request) => (request.includes("INFO") ? { status: 200, body } : "pass");
      const { failed, sentenceOf } = await examine(environment);
      expect(failed).toEqual([]);
      return sentenceOf("eviction_policy");
    };
    expect(await answerOf("maxmemory:0\r\nmaxmemory_policy:noeviction\r\n")).not.toContain("full");
    expect(await answerOf("maxmemory:100\r\nmaxmemory_policy:noeviction\r\n")).toContain("A full Redis");
    expect(await answerOf("maxmemory:100\r\nmaxmemory_policy:allkeys-lru\r\n")).toContain("allkeys-lru");
    expect(await answerOf("nothing")).toContain("does not tell");
  });

  it.each([
    ["refuses", (url: string) => url.replace(/:\d+\//, ":1/"), "ECONNREFUSED"],
    ["is none", (url: string) => url.replace(/\/[^/]*$/, "/no_such_database"), "3D000"],
    ["does not know the password", (url: string) => url.replace(/:[^:@/]+@/, ":another@"), "28P01"],
  ])("complains of a Postgres that %s", async (_title, change, code) => {
    const environment = { ...redisSettings(), DATABASE_URL: change(await testDatabaseUrl()) };
    const { failed, sentenceOf } = await examine(environment);
    expect(failed).toEqual(["database", "migrations", "primary", "synchronous_commit", "clocks", "purges", "events"]);
    expect(sentenceOf("database")).toContain(code);
    expect(sentenceOf("primary")).toBe("Not asked: Postgres does not answer.");
  });

  it("ends, with every check, where one statement of Postgres hangs", async () => {
    const proxy = await startPostgresProxy(await testDatabaseUrl());
    started.push(proxy);
    const never = new Promise<never>(() => undefined);
    const environment = { ...redisSettings(), DATABASE_URL: proxy.url };
    proxy.decide = (statement) => (statement.includes("cache_purges") ? never : "pass");
    const some = await examine(environment);
    expect(some.failed).toEqual(["purges"]);
    expect(some.sentenceOf("purges")).toContain("no answer in time");
  });

  it("ends as a process, with every check, where Postgres and Redis take connections and never answer", async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => sockets.add(socket.on("error", () => undefined)));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    started.push({
      stop: () =>
        new Promise((resolve) => {
          silent.close(() => resolve());
          for (const socket of sockets) socket.destroy();
        }),
    });
    const { port } = silent.address() as AddressInfo;
    const { code, output } = await runLatchkey(["doctor", "--json"], {
      ...redisSettings({ url: `http://127.0.0.1:${port}`, token: "token" }),
      DATABASE_URL: `postgres://me:word@127.0.0.1:${port}/x`,
    });
    const { checks } = JSON.parse(output) as Report;
    expect([code, checks.length]).toEqual([1, all.length]);
    expect(checks.filter(({ sentence }) => sentence.includes("no answer in time")).map(({ name }) => name)).toEqual([
      "database",
      "redis",
    ]);
  });

  it("complains when the clock of this process is apart, and not within 2 s", async () => {
    const environment = await healthy();
    for (const [skew, words] of [
      [5_000, "behind that of this process"],
      [-5_000, "ahead of that of this process"],
    ] as const) {
      const { failed, sentenceOf } = await examine(environment, { now: () => Date.now() + skew });
      expect(failed).toEqual(["clocks"]);
      expect(sentenceOf("clocks").split(words)).toHaveLength(3);
    }
    expect((await examine(environment, { now: () => Date.now() + 1_500 })).failed).toEqual([]);
  });

  it("complains when the clock of Redis alone is apart", async () => {
    const redis = testRedis("embedded");
    const proxy = await startRedisProxy(redis.url);
    started.push(proxy);
    proxy.decide = (body) => {
      // The client asks for texts in base64.
      const result = [String(Math.floor(Date.now() / 1_000) - 60), "0"].map((text) => btoa(text));
      return body.includes("'TIME'") ? { status: 200, body: JSON.stringify({ result }) } : "pass";
    };
    const environment = { ...redisSettings({ ...redis, url: proxy.url }), DATABASE_URL: await testDatabaseUrl() };
    const { failed, sentenceOf } = await examine(environment);
    expect(failed).toEqual(["clocks"]);
    expect(sentenceOf("clocks")).toMatch(
      /Redis is \d+\.\d s behind that of this process; the clock of Redis is \d+\.\d s behind that of Postgres/,
    );
  });

  it("complains of a purge that has waited for over a minute, and only tells of a younger one", async () => {
    const environment = await healthy();
    const store = (seconds: number) =>
      query(
        environment.DATABASE_URL,
        `insert into latchkey.cache_purges (key_id, secret_hash, target, created_at, next_attempt_at)
         values (gen_random_uuid(), sha256('${seconds}'), 'revoked', now() - interval '${seconds} seconds', now())`,
      );
    await store(20);
    const young = await examine(environment);
    expect([young.failed, young.sentenceOf("purges")]).toEqual([
      [],
      expect.stringMatching(/^Purges that wait: 1, the oldest for \d+ s\.$/),
    ]);
    await store(90);
    const old = await examine(environment);
    expect(old.failed).toEqual(["purges"]);
    expect(old.sentenceOf("purges")).toMatch(/wait: 2, the oldest for 9\d s\./);
  });

  it("complains of an event that was not delivered for over 10 minutes, and only tells of a younger one", async () => {
    const environment = await healthy();
    await query(
      environment.DATABASE_URL,
      `create table if not exists latchkey.event_deliveries (
         event_id uuid primary key, created_at timestamptz not null, next_attempt_at timestamptz not null, given_up_at timestamptz)`,
    );
    expect((await examine(environment)).failed).toEqual([]);
    const store = (minutes: number, givenUpAt = "null") =>
      query(
        environment.DATABASE_URL,
        `insert into latchkey.event_deliveries (event_id, created_at, next_attempt_at, given_up_at)
         values (gen_random_uuid(), now() - interval '${minutes} minutes', now(), ${givenUpAt})`,
      );
    await store(5_000, "now()");
    await store(5);
    const young = await examine(environment);
    expect([young.failed, young.sentenceOf("events")]).toEqual([
      [],
      "Events that wait to be sent: 1, the oldest for 5 min.",
    ]);
    await store(11);
    const old = await examine(environment);
    expect(old.failed).toEqual(["events"]);
    expect(old.sentenceOf("events")).toContain("the oldest for 11 min");
  });

  it("writes nothing to Postgres, and to Redis only a purge of a slot that no key has", async () => {
    const proxy = await startPostgresProxy(await testDatabaseUrl());
    started.push(proxy);
    await examine({ ...redisSettings(), DATABASE_URL: proxy.url });
    for (const statement of proxy.statements) expect(statement.trim()).toMatch(/^select\b/i);
  });
});
