import { createHash } from "node:crypto";

import pg from "pg";

/**
 * A month as it is assumed here, made by the database itself: owners with 10 keys each, all of them 31 days old. Each key was used in one hour
 * of each of 10 days of the last 30 (so `api_key_usage` has 10 rows a key), and has left 3 events in the history. The times of its last use were
 * written more than once, since a page whose rows were never written again has no room, and a write costs more there than it does in a month.
 */
export const monthKeysPerOwner = 10;
const days = 30;

/** The key of this number, as the statements below make it. Its id is a UUID of version 7, as real ones are. */
export function monthKey(number: number, keyCount: number): { id: string; ownerId: string; hash: Buffer } {
  const hex = `${(firstMillisecond + number).toString(16).padStart(12, "0")}7${md5(String(number)).slice(0, 19)}`;
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  const hash = createHash("sha256").update(Buffer.from(hex, "hex")).digest();
  return { id, ownerId: `user_month_${number % (keyCount / monthKeysPerOwner)}`, hash };
}

const firstMillisecond = 1_760_000_000_000;
const md5 = (text: string) => createHash("md5").update(text).digest("hex");
const idOf = `(lpad(to_hex(${firstMillisecond} + n), 12, '0') || '7' || substr(md5(n::text), 1, 19))::uuid`;

/** @param keyCount a multiple of 10. */
export async function insertMonth(databaseUrl: string, keyCount: number): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const ownerCount = keyCount / monthKeysPerOwner;
  const ownerOf = `'user_month_' || n % ${ownerCount}`;
  try {
    await client.query("set synchronous_commit = off");
    await client.query(
      `insert into latchkey.owners (id, access_allowed) select 'user_month_' || n, true from generate_series(0, ${ownerCount - 1}) n`,
    );
    await client.query(
      `insert into latchkey.api_keys (id, owner_id, created_by, name, environment, scopes, created_at)
       select ${idOf}, ${ownerOf}, ${ownerOf}, 'Production', 'test', array['projects:read', 'reports:read'], now() - interval '31 days'
       from generate_series(0, ${keyCount - 1}) n`,
    );
    await client.query(
      `insert into latchkey.api_key_secrets (secret_hash, key_id, owner_id, display, state, request_id, request_digest, created_at)
       select sha256(uuid_send(${idOf})), ${idOf}, ${ownerOf}, 'lk_test_Ab3d…9xYz', 'current', gen_random_uuid(), sha256(uuid_send(${idOf})),
         now() - interval '31 days'
       from generate_series(0, ${keyCount - 1}) n`,
    );
    await client.query(
      `insert into latchkey.api_key_secret_uses (secret_hash, last_used_at)
       select sha256(uuid_send(${idOf})), now() - interval '31 days' from generate_series(0, ${keyCount - 1}) n`,
    );
    // Day by day, as they would come.
    for (let day = days; day >= 1; day--) {
      const hour = `date_trunc('hour', now() - interval '${day} days') + n % 24 * interval '1 hour' - interval '23 hours'`;
      await client.query(
        `insert into latchkey.api_key_usage (key_id, hour, count, last_used_at)
         select ${idOf}, ${hour}, 1 + n % 1000, ${hour} + interval '30 minutes'
         from generate_series(${day % 3}, ${keyCount - 1}, 3) n`,
      );
      // The last three days are those of all keys. More of them would only make the filling longer.
      if (day <= 3)
        await client.query(
          `insert into latchkey.api_key_secret_uses (secret_hash, last_used_at)
           select sha256(uuid_send(${idOf})), ${hour} + interval '30 minutes' from generate_series(${day % 3}, ${keyCount - 1}, 3) n
           on conflict (secret_hash) do update set last_used_at = excluded.last_used_at`,
        );
      await client.query(
        `insert into latchkey.key_events (id, at, owner_id, key_id, key_name, action, actor_kind, actor_id, detail)
         select latchkey.event_id(at), at, ${ownerOf}, ${idOf}, 'Production', 'key.renamed', 'user', ${ownerOf}, '{"from": "Staging"}'
         from generate_series(${day % 10}, ${keyCount - 1}, 10) n,
           lateral (select now() - interval '${day} days' + n * interval '50 milliseconds' as at) moment`,
      );
    }
    await client.query("vacuum analyze");
  } finally {
    await client.end();
  }
}

/** @returns in words, how many rows the largest tables have, and what they and their indexes take of the disk. */
export async function describeTables(databaseUrl: string): Promise<string> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; rows: string; table_mib: string; index_mib: string }>(
      `select relname as name, reltuples::bigint as rows, round(pg_table_size(oid) / 1048576.0) as table_mib,
         round(pg_indexes_size(oid) / 1048576.0) as index_mib
       from pg_class where relnamespace = 'latchkey'::regnamespace and relkind = 'r' and reltuples > 0 order by pg_total_relation_size(oid) desc limit 6`,
    );
    const told = rows.map(
      (row) =>
        `${row.name} ${Number(row.rows).toLocaleString("en")} rows, ${row.table_mib} MiB and ${row.index_mib} MiB of indexes`,
    );
    return told.join("; ");
  } finally {
    await client.end();
  }
}
