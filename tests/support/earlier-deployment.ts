import { randomUUID } from "node:crypto";
import { mkdtemp, cp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import pg from "pg";

import { hashSecret, mintSecret } from "@/server/keys/secret";
import { journal, moveEarlierTables } from "@/server/platform/move-earlier-tables";
import { displaySecret } from "@/server/shared/secret-format";

/** The migrations that version 0.1 was released with. */
const earlierMigrations = "tests/support/migrations-0.1";
const tables = ["owners", "api_keys", "cache_purges", "api_key_usage"] as const;

interface EarlierKey {
  id: string;
  secret: string;
}

/** What a deployment of version 0.1 holds: one owner with a key in each state, and how often each was used. */
export interface EarlierKeys {
  ownerId: string;
  active: EarlierKey;
  expired: EarlierKey;
  revoked: EarlierKey;
  /** Revoked, and its purge is still in the outbox. */
  pending: EarlierKey;
}

/** With the usual search path. The role of the local Postgres is called latchkey, and so finds a schema of that name by itself. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, options: "-c search_path=public" });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Runs the migrations of version 0.1 as it did, with drizzle's default journal. @param count how many of them it had */
export async function migrateAsEarlier(url: string, count: 1 | 2 = 2): Promise<void> {
  await withFirstMigrations(earlierMigrations, count, (migrationsFolder) =>
    withClient(url, (client) => migrate(drizzle(client), { migrationsFolder })),
  );
}

/** @param work gets a folder with the first `count` migrations of `source`. */
async function withFirstMigrations(source: string, count: number, work: (folder: string) => Promise<void>) {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-earlier-"));
  try {
    await cp(source, folder, { recursive: true });
    const file = join(folder, "meta/_journal.json");
    const entries = JSON.parse(await readFile(file, "utf8")) as { entries: unknown[] };
    await writeFile(file, JSON.stringify({ ...entries, entries: entries.entries.slice(0, count) }));
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A deployment in which each key still has its one hash in its own row, and whose last purge of a replaced secret failed. */
export async function deployWithOneHashAKey(url: string): Promise<EarlierKeys & { replaced: EarlierKey }> {
  const keys = await deployEarlier(url);
  const replaced = { id: keys.active.id, secret: mintSecret({ prefix: "lk", environment: "test" }) };
  await withFirstMigrations("server/platform/migrations", 3, (migrationsFolder) =>
    withClient(url, async (client) => {
      const db = drizzle(client);
      await moveEarlierTables(db);
      await migrate(db, { ...journal, migrationsFolder });
      await client.query(
        "insert into latchkey.cache_purges (key_id, secret_hash, target, next_attempt_at) values ($1, $2, 'revoked', now())",
        [replaced.id, hashSecret(replaced.secret)],
      );
    }),
  );
  return { ...keys, replaced };
}

/** Makes a deployment of version 0.1 in an empty database. */
export async function deployEarlier(url: string, count: 1 | 2 = 2): Promise<EarlierKeys> {
  await migrateAsEarlier(url, count);
  return withClient(url, async (client) => {
    const ownerId = `user_${randomUUID()}`;
    await client.query("insert into owners (id, requests_per_minute) values ($1, 1000)", [ownerId]);
    const insert = async (name: string, changes = "") => {
      const key = { id: randomUUID(), secret: mintSecret({ prefix: "lk", environment: "test" }) };
      await client.query(
        `insert into api_keys (id, owner_id, name, hash, display, environment, scopes, request_id, request_digest, created_at)
         values ($1, $2, $3, $4, $5, 'test', '{reports:read}', gen_random_uuid(), sha256($4), now() - interval '1 hour')`,
        [key.id, ownerId, name, hashSecret(key.secret), displaySecret(key.secret)],
      );
      if (changes) await client.query(`update api_keys set ${changes} where id = $1`, [key.id]);
      await client.query(
        `insert into api_key_usage (key_id, hour, count, last_used_at)
         select $1, date_trunc('hour', now()) - ago * interval '1 hour', 7 + ago, now() from generate_series(0, 2) as ago`,
        [key.id],
      );
      return key;
    };
    const revocation = "revoked_at = now() - interval '1 minute', revoked_by = 'owner'";
    const keys = {
      ownerId,
      active: await insert("Active"),
      expired: await insert("Expired", "expires_at = now() - interval '1 minute'"),
      revoked: await insert("Revoked", `${revocation}, effective_at = now()`),
      pending: await insert("Pending", `${revocation}, guaranteed_by = now() + interval '5 seconds'`),
    };
    await client.query(
      "insert into cache_purges (key_id, hash, target, next_attempt_at) values ($1, $2, 'revoked', now())",
      [keys.pending.id, hashSecret(keys.pending.secret)],
    );
    return keys;
  });
}

type Rows = Record<string, unknown>[];

/** The secret that a key has, beside the key, as in 0.1. Before the secrets got a table of their own there is nothing to add. */
async function withSecrets(client: pg.Client, keys: Rows): Promise<Rows> {
  const { rows: found } = await client.query("select where to_regclass('latchkey.api_key_secrets') is not null");
  if (found.length === 0) return keys;
  const { rows }: { rows: { id: string; secret: Record<string, unknown> }[] } = await client.query(
    `select key_id as id, jsonb_build_object('hash', secret_hash, 'display', display, 'request_id', request_id, 'request_digest', request_digest) as secret
     from latchkey.api_key_secrets where state = 'current'`,
  );
  return keys.map((key) => ({ ...key, ...rows.find(({ id }) => id === key.id)?.secret }));
}

/** All rows of our tables in that schema, with the columns that 0.1 had, but for `version`, which nobody read. */
export async function contentsOf(url: string, schema: "public" | "latchkey"): Promise<Record<string, Rows>> {
  const read = async (client: pg.Client, table: string): Promise<Rows> => {
    const { rows }: { rows: { row: Record<string, unknown> }[] } = await client.query(
      `select to_jsonb(stored) as row from ${schema}.${table} stored
       order by to_jsonb(stored)->>'id', to_jsonb(stored)->>'key_id', to_jsonb(stored)->>'hour'`,
    );
    return rows.map(({ row: { version: _version, secret_hash: renamed, ...row } }) =>
      renamed === undefined ? row : { ...row, hash: renamed },
    );
  };
  return withClient(url, async (client) => {
    const contents: Record<string, Rows> = {};
    for (const table of tables) contents[table] = await read(client, table);
    if (schema === "latchkey") contents.api_keys = await withSecrets(client, contents.api_keys ?? []);
    return contents;
  });
}
