import { readFile } from "node:fs/promises";

import { Redis } from "@upstash/redis";
import { beforeAll, describe, expect, it } from "vitest";

import { effectOfApiKey, listApiKeys, revokeApiKey, usageOfApiKey, verifyApiKey } from "@/server/keys";
import { hashSecret } from "@/server/keys/secret";
import { drainPurges } from "@/server/outbox/drain";
import { migrateDatabase } from "@/server/platform/migrate";
import { createLogger } from "@/server/platform/logger";
import { createRedisClients } from "@/server/platform/redis";
import { createSlots } from "@/server/slot/slot";
import { startTestServer } from "@/tests/support/domain";
import {
  contentsOf,
  deployEarlier,
  deployWithOneHashAKey,
  type EarlierKeys,
  migrateAsEarlier,
  withClient,
} from "@/tests/support/earlier-deployment";
import { startPostgresProxy } from "@/tests/support/postgres-proxy";
import { newCaller, type TestServer } from "@/tests/support/server-instance";
import { copyDatabase, emptyDatabaseUrl, redisKinds, testRedis } from "@/tests/support/services";
import { slotKeyOf } from "@/tests/support/slots";

const schemasOf = (url: string) =>
  withClient(url, async (client) => {
    const { rows }: { rows: { schema: string }[] } = await client.query(
      "select table_schema as schema from information_schema.tables where table_name in ('owners', 'api_keys', 'cache_purges', 'api_key_usage')",
    );
    return rows.map(({ schema }) => schema);
  });
const ours = Array<string>(4).fill("latchkey");
const earlier = Array<string>(4).fill("public");

const rowsOf = (url: string, table: string) =>
  withClient(url, async (client) => {
    const { rows }: { rows: Record<string, unknown>[] } = await client.query(`select * from ${table}`);
    return rows;
  });
const earlierJournal = (url: string) => rowsOf(url, "drizzle.__drizzle_migrations order by id");

const keyColumns = "id, owner_id, name, hash, display, environment, scopes, request_id, request_digest, created_at";
const purgeColumns = "key_id, hash, target, next_attempt_at";

/** A host that keeps drizzle's journal as it comes, and whose last migration is younger than all of ours. */
const migrateAsHost = (url: string) =>
  withClient(url, async (client) => {
    await client.query("create schema if not exists drizzle");
    await client.query(
      "create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)",
    );
    await client.query(
      "insert into drizzle.__drizzle_migrations (hash, created_at) values ('of the host', 4102444800000)",
    );
  });

describe.each(redisKinds)("a deployment of 0.1 that was upgraded, on %s", (redisKind) => {
  async function upgraded(): Promise<{ server: TestServer; keys: EarlierKeys }> {
    const url = await emptyDatabaseUrl();
    const keys = await deployEarlier(url);
    await migrateDatabase(url);
    return { server: await startTestServer(redisKind, url), keys };
  }

  it("accepts and refuses every key as before, and lists it with its uses", async () => {
    const { server, keys } = await upgraded();
    const caller = newCaller({ ownerId: keys.ownerId });
    for (const round of ["read", "cached"]) {
      expect(await verifyApiKey(server, keys.active.secret), round).toMatchObject({
        valid: true,
        key: { keyId: `key_${keys.active.id}`, ownerId: keys.ownerId, scopes: ["reports:read"] },
      });
      for (const key of [keys.revoked, keys.pending])
        expect(await verifyApiKey(server, key.secret), round).toEqual({ valid: false, reason: "revoked" });
      expect(await verifyApiKey(server, keys.expired.secret), round).toEqual({ valid: false, reason: "expired" });
      await server.runDeferred();
    }
    const { keys: listed } = await listApiKeys(server, caller);
    expect(listed.map(({ name, status }) => `${name}: ${status}`).toSorted()).toEqual([
      "Active: active",
      "Expired: expired",
      "Pending: revoked",
      "Revoked: revoked",
    ]);
    const { last30Days } = await usageOfApiKey(server, caller, { id: `key_${keys.revoked.id}` });
    expect(last30Days.reduce((sum, { count }) => sum + count, 0)).toBe(7 + 8 + 9);
    await server.close();
  });

  it("drains the purge that was pending, and its revocation becomes effective", async () => {
    const { server, keys } = await upgraded();
    const pending = [newCaller({ ownerId: keys.ownerId }), { id: `key_${keys.pending.id}` }] as const;
    expect(await effectOfApiKey(server, ...pending)).toMatchObject({ status: "pending" });
    expect(await drainPurges(server)).toEqual({ confirmed: 1, failed: 0 });
    expect(await effectOfApiKey(server, ...pending)).toMatchObject({ status: "effective" });
    await server.close();
  });

  it("refuses a key that it has revoked, however late a process of 0.1 fills the slot it had leased", async () => {
    const url = await emptyDatabaseUrl();
    const { ownerId, active } = await deployEarlier(url);
    const hash = hashSecret(active.secret);
    const slotsOfEarlier = createSlots({
      redis: createRedisClients(testRedis(redisKind), createLogger("silent")),
      prefix: "",
    });
    const reading = await slotsOfEarlier.read(hash);
    if (reading.kind !== "leased") throw new Error("the slot was not empty");
    await migrateDatabase(url);
    const server = await startTestServer(redisKind, url);
    // What the process of 0.1 read before the tables moved is what this version reads and stores now.
    expect(await verifyApiKey(server, active.secret)).toMatchObject({ valid: true });
    await server.runDeferred();
    const stored = await server.slots.read(hash);
    if (stored.kind !== "value") throw new Error("the slot was not filled");

    const { effect } = await revokeApiKey(server, newCaller({ ownerId }), { id: `key_${active.id}` });
    expect(effect.status).toBe("effective");
    expect(await slotsOfEarlier.fill(hash, reading.lease, stored.payload)).toBe(true);
    expect(await verifyApiKey(server, active.secret)).toEqual({ valid: false, reason: "revoked" });
    await new Redis(testRedis(redisKind)).del(slotKeyOf(active.secret));
    expect(await verifyApiKey(server, active.secret)).toEqual({ valid: false, reason: "revoked" });
    await server.close();
  });
});

describe("the migration of a deployment of 0.1", () => {
  let template: string;
  beforeAll(async () => {
    template = await emptyDatabaseUrl();
    await deployEarlier(template);
    await migrateAsHost(template);
  });
  const deployment = () => copyDatabase(template);

  it("moves every row of every table, and changes nothing when it runs again", async () => {
    const url = await deployment();
    const before = await contentsOf(url, "public");
    expect(before.api_keys).toHaveLength(4);
    for (const _run of ["first", "second"]) {
      await migrateDatabase(url);
      expect(await schemasOf(url)).toEqual(ours);
      expect(await contentsOf(url, "latchkey")).toMatchObject(before);
    }
  });

  it("moves them once when several processes migrate at once", async () => {
    const url = await deployment();
    const before = await contentsOf(url, "public");
    await Promise.all([migrateDatabase(url), migrateDatabase(url), migrateDatabase(url)]);
    expect(await schemasOf(url)).toEqual(ours);
    expect(await contentsOf(url, "latchkey")).toMatchObject(before);
  });

  it("leaves all or nothing moved, wherever it is killed, and the next run completes it", async () => {
    const measured = await startPostgresProxy(await deployment());
    await migrateDatabase(measured.url);
    await measured.stop();
    expect(measured.statements.length).toBeGreaterThan(10);
    for (const at of measured.statements.keys())
      for (const fate of ["break", "break after"] as const) {
        const url = await deployment();
        const before = await contentsOf(url, "public");
        const proxy = await startPostgresProxy(url);
        let next = 0;
        proxy.decide = () => (next++ === at ? fate : "pass");
        await migrateDatabase(proxy.url).catch(() => undefined);
        await proxy.stop();
        const schemas = await schemasOf(url);
        expect([earlier, ours], `${fate} ${at}`).toContainEqual(schemas);
        expect(await contentsOf(url, schemas[0] === "public" ? "public" : "latchkey")).toMatchObject(before);
        await migrateDatabase(url);
        expect(await schemasOf(url)).toEqual(ours);
        expect(await contentsOf(url, "latchkey")).toMatchObject(before);
      }
  }, 120_000);

  it("applies what 0.1 had not applied yet, though a host's younger journal had made it skip that", async () => {
    const url = await emptyDatabaseUrl();
    await deployEarlier(url, 1);
    await migrateAsHost(url);
    await migrateAsEarlier(url);
    const before = await contentsOf(url, "public");
    expect(before.owners?.[0]).not.toHaveProperty("closed_reason");
    await migrateDatabase(url);
    const after = await contentsOf(url, "latchkey");
    expect(after).toMatchObject(before);
    expect(after.owners?.[0]).toHaveProperty("closed_reason", null);
  });

  describe.each([
    ["the usual search path", "public"],
    ["the search path of a role that is called latchkey", "latchkey, public"],
  ])("with %s", (_path, searchPath) => {
    it.each([
      ["reads a key", "select name from api_keys join owners on owners.id = owner_id where hash = ''"],
      ["locks a key to change it", "select id, hash from api_keys where name = '' for no key update"],
      ["creates a key", `insert into api_keys (${keyColumns}) select ${keyColumns} from api_keys where false`],
      [
        "queues a purge",
        `insert into cache_purges (${purgeColumns}) select ${purgeColumns} from cache_purges where false`,
      ],
      ["drains the outbox", "update cache_purges set attempts = 1 where false returning id, key_id, hash, target"],
    ])("makes a process of 0.1 fail where it %s, by a prepared statement too", async (_title, text) => {
      const url = await deployment();
      await withClient(url, async (client) => {
        await client.query(`set search_path to ${searchPath}`);
        const statements = [{ text }, { name: "prepared", text }];
        for (const statement of statements) await client.query(statement);
        await migrateDatabase(url);
        for (const statement of statements) await expect(client.query(statement)).rejects.toThrow(/ does not exist/);
      });
    });
  });

  it("waits for a revocation that a process of 0.1 is committing, and brings it along", async () => {
    const url = await deployment();
    await withClient(url, async (client) => {
      await client.query("begin; update api_keys set revoked_at = now(), revoked_by = 'owner' where name = 'Active'");
      const migration = migrateDatabase(url);
      await expect.poll(() => withClient(url, waitingForLock), { timeout: 20_000 }).toBe(true);
      await client.query("commit");
      await migration;
    });
    const { api_keys: keys } = await contentsOf(url, "latchkey");
    expect(keys?.filter((key) => key.revoked_at)).toHaveLength(3);
  });

  it("leaves drizzle's journal as it was, so that 0.1, started once more, makes no second set of empty tables", async () => {
    const url = await deployment();
    const before = await earlierJournal(url);
    expect(before).toHaveLength(3);
    await migrateDatabase(url);
    // Also where no younger row of a host would make drizzle skip them.
    await withClient(url, (client) =>
      client.query("delete from drizzle.__drizzle_migrations where hash = 'of the host'"),
    );
    await migrateAsEarlier(url);
    expect(await schemasOf(url)).toEqual(ours);
    expect(await earlierJournal(url)).toEqual(before.slice(0, 2));
  });

  it("can be taken back by the block in docs/upgrading.md, and repeated", async () => {
    const url = await deployment();
    const before = await contentsOf(url, "public");
    const [, wayBack = ""] = /```sql\n([^`]*)```/.exec(await readFile("docs/upgrading.md", "utf8")) ?? [];
    expect(wayBack).toContain("SET SCHEMA public");
    await migrateDatabase(url);
    // As a retried create leaves it: 0.1 gets the secret that took its place.
    await withClient(url, (client) =>
      client.query(
        `insert into latchkey.api_key_secrets (secret_hash, key_id, owner_id, display, state, created_at, revoked_at)
         select sha256(secret_hash), key_id, owner_id, 'lost', 'revoked', now(), now() from latchkey.api_key_secrets`,
      ),
    );
    await withClient(url, (client) => client.query(wayBack));
    await migrateAsEarlier(url);
    expect(await contentsOf(url, "public")).toEqual(before);
    expect(await earlierJournal(url)).toHaveLength(3);
    await withClient(url, (client) => client.query("select version from api_keys"));
    await migrateDatabase(url);
    expect(await contentsOf(url, "latchkey")).toMatchObject(before);
  });
});

describe("the migration of a deployment in which each key has its one hash in its row", () => {
  let template: string;
  let keys: Awaited<ReturnType<typeof deployWithOneHashAKey>>;
  beforeAll(async () => {
    template = await emptyDatabaseUrl();
    keys = await deployWithOneHashAKey(template);
  });
  const deployment = () => copyDatabase(template);

  it("keeps every key's secret and display, and the receipts as they were", async () => {
    const url = await deployment();
    const before = await contentsOf(url, "latchkey");
    expect(before.api_keys).toHaveLength(4);
    await migrateDatabase(url);
    expect(await contentsOf(url, "latchkey")).toMatchObject(before);
    const secrets = await rowsOf(url, "latchkey.api_key_secrets where state = 'current'");
    expect(secrets.map((secret) => secret.owner_id)).toEqual(Array(4).fill(keys.ownerId));
    const stored = await rowsOf(url, "latchkey.api_keys");
    expect(stored.map((key) => key.created_by)).toEqual(Array(4).fill(keys.ownerId));
  });

  it("judges every secret as before, and one that was replaced as revoked, also when its purge is done", async () => {
    const url = await deployment();
    await migrateDatabase(url);
    const [redisKind = "embedded"] = redisKinds;
    const server = await startTestServer(redisKind, url);
    const reasons = async () => {
      const verdicts = [];
      for (const key of [keys.active, keys.expired, keys.revoked, keys.pending, keys.replaced]) {
        const verdict = await verifyApiKey(server, key.secret);
        verdicts.push(verdict.valid ? "valid" : verdict.reason);
      }
      return verdicts;
    };
    const expected = ["valid", "expired", "revoked", "revoked", "revoked"];
    expect(await reasons()).toEqual(expected);
    expect(await drainPurges(server)).toEqual({ confirmed: 2, failed: 0 });
    await new Redis(testRedis(redisKind)).del(slotKeyOf(keys.replaced.secret));
    expect(await reasons()).toEqual(expected);
    await server.close();
  });

  it.each([
    ["reads a key", "select name from latchkey.api_keys where secret_hash = ''"],
    ["locks keys to change them", "select id, secret_hash from latchkey.api_keys where name = '' for no key update"],
    ["looks for a repeated create", "select id from latchkey.api_keys where request_id is null"],
    ["lists keys", "select id, display from latchkey.api_keys where name = ''"],
  ])("makes a process of that version fail where it %s, by a prepared statement too", async (_title, text) => {
    const url = await deployment();
    await withClient(url, async (client) => {
      const statements = [{ text }, { name: "prepared", text }];
      for (const statement of statements) await client.query(statement);
      await migrateDatabase(url);
      for (const statement of statements) await expect(client.query(statement)).rejects.toThrow(/ does not exist/);
    });
  });

  it("lets a change end that such a process has begun, and brings it along", async () => {
    const url = await deployment();
    await withClient(url, async (client) => {
      const active = `id = '${keys.active.id}'`;
      await client.query(`begin; select from latchkey.api_keys where ${active} for no key update`);
      const migration = migrateDatabase(url);
      await expect.poll(() => withClient(url, waitingForLock), { timeout: 20_000 }).toBe(true);
      await client.query(
        `update latchkey.api_keys set secret_hash = sha256('new'), display = 'lk_test_new' where ${active}; commit`,
      );
      await migration;
    });
    const current = `latchkey.api_key_secrets where key_id = '${keys.active.id}' and state = 'current'`;
    expect(await rowsOf(url, current)).toMatchObject([{ display: "lk_test_new" }]);
  });
});

describe("a first installation in a host's database", () => {
  it("stays as it is when somebody starts 0.1 beside it afterwards, whose tables stay, too", async () => {
    const url = await emptyDatabaseUrl();
    await migrateDatabase(url);
    await deployEarlier(url);
    const before = await contentsOf(url, "public");
    await migrateDatabase(url);
    expect(await contentsOf(url, "latchkey")).toMatchObject({ owners: [], api_keys: [] });
    expect(await contentsOf(url, "public")).toEqual(before);
  });

  const tablesOfHost =
    "create table owners (id int); insert into owners values (7); create table api_keys (token text);";

  it.each([
    ["has tables of the same names", tablesOfHost],
    [
      "has tables of the same names and columns, which our migrations did not make",
      "create table owners (id int); insert into owners values (7); create table api_keys (request_digest bytea)",
    ],
    [
      "had our tables once and has its own of those names now",
      `${tablesOfHost} insert into drizzle.__drizzle_migrations (hash, created_at) values ('ours', 1795566796386)`,
    ],
  ])("leaves it alone where it %s", async (_title, statements) => {
    const url = await emptyDatabaseUrl();
    await migrateAsHost(url);
    await withClient(url, (client) => client.query(statements));
    const before = await earlierJournal(url);
    await migrateDatabase(url);
    expect((await schemasOf(url)).toSorted()).toEqual([...ours, "public", "public"]);
    expect(await contentsOf(url, "latchkey")).toMatchObject({ owners: [], api_keys: [] });
    expect(await rowsOf(url, "public.owners")).toEqual([{ id: 7 }]);
    expect(await earlierJournal(url)).toEqual(before);
  });
});

async function waitingForLock(client: { query(text: string): Promise<{ rowCount: number | null }> }): Promise<boolean> {
  const waiting =
    "select from pg_stat_activity where datname = current_database() and application_name = 'latchkey-migrate' and wait_event_type = 'Lock'";
  return (await client.query(waiting)).rowCount === 1;
}
