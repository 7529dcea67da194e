import { Client } from "pg";

import type { HttpUser } from "./http-user";

/** Uses reach the database up to a minute late; these are there at once, `hoursAgo` or now. */
export async function storeUses({ userId }: HttpUser, name: string, uses: { hoursAgo: number; count: number }[]) {
  const hours = uses.map(({ hoursAgo }) => hoursAgo);
  const counts = uses.map(({ count }) => count);
  await execute(
    `insert into latchkey.api_key_usage (key_id, hour, count, last_used_at)
     select id, date_trunc('hour', now() - hours_ago * interval '1 hour'), uses, now() - hours_ago * interval '1 hour'
     from latchkey.api_keys, unnest($3::int[], $4::int[]) as used (hours_ago, uses)
     where owner_id = $1 and name = $2 and revoked_at is null`,
    [userId, name, hours, counts],
  );
}

/** Sets when a key expires, in the past too. */
export async function storeExpiry({ userId }: HttpUser, name: string, daysFromNow: number) {
  await execute(
    `update latchkey.api_keys set expires_at = now() + $3 * interval '1 day', created_at = least(created_at, now() + ($3 - 90) * interval '1 day')
     where owner_id = $1 and name = $2 and revoked_at is null`,
    [userId, name, daysFromNow],
  );
}

/** Sets how many seconds a key has left. */
export async function storeSecondsToLive({ userId }: HttpUser, name: string, seconds: number) {
  await execute(
    "update latchkey.api_keys set expires_at = now() + $3 * interval '1 second' where owner_id = $1 and name = $2 and revoked_at is null",
    [userId, name, seconds],
  );
}

/** A name from before the rule for names, which no form would take. */
export async function storeName({ userId }: HttpUser, name: string, stored: string) {
  await execute("update latchkey.api_keys set name = $3 where owner_id = $1 and name = $2 and revoked_at is null", [
    userId,
    name,
    stored,
  ]);
}

/** As after a revocation whose purge Redis has not confirmed, and which nobody tries again for now. */
export async function storePendingRevocation({ userId }: HttpUser, name: string) {
  await execute(
    `with revoked as (
       update latchkey.api_keys set revoked_at = now(), revoked_by = 'owner', guaranteed_by = now() + interval '65 seconds'
       where owner_id = $1 and name = $2 and revoked_at is null returning id
     )
     insert into latchkey.cache_purges (id, key_id, secret_hash, target, next_attempt_at)
     select gen_random_uuid(), key_id, secret_hash, 'revoked', now() + interval '1 hour'
     from latchkey.api_key_secrets where key_id in (select id from revoked) and state = 'current'`,
    [userId, name],
  );
}

/** When the old secret of a key that is being rotated was last used. */
export async function storeUseOfOldSecret({ userId }: HttpUser, name: string, hoursAgo: number) {
  await execute(
    `insert into latchkey.api_key_secret_uses (secret_hash, last_used_at)
     select secret.secret_hash, now() - $3 * interval '1 hour'
     from latchkey.api_key_secrets secret join latchkey.api_keys key on key.id = secret.key_id
     where key.owner_id = $1 and key.name = $2 and secret.state = 'previous'
     on conflict (secret_hash) do update set last_used_at = excluded.last_used_at`,
    [userId, name, hoursAgo],
  );
}

/** As after the end of an old secret whose purge Redis has not confirmed, and which nobody tries again for now. */
export async function storePendingEnd({ userId }: HttpUser, name: string) {
  await execute(
    `with ended as (
       update latchkey.api_key_secrets secret
       set state = 'revoked', revoked_at = now(), ends_at = now(), guaranteed_by = now() + interval '65 seconds'
       from latchkey.api_keys key
       where key.id = secret.key_id and key.owner_id = $1 and key.name = $2 and secret.state = 'previous'
       returning secret.key_id, secret.secret_hash
     )
     insert into latchkey.cache_purges (id, key_id, secret_hash, target, next_attempt_at)
     select gen_random_uuid(), key_id, secret_hash, 'revoked', now() + interval '1 hour' from ended`,
    [userId, name],
  );
}

/** As if a revoked key had been revoked by somebody else. */
export async function storeRevokedBy({ userId }: HttpUser, name: string, revokedBy: "account" | "key") {
  await execute(
    "update latchkey.api_keys set revoked_by = $3 where owner_id = $1 and name = $2 and revoked_at is not null",
    [userId, name, revokedBy],
  );
}

/** What the owner's plan says, as its webhook would write it. Purges nothing: for keys that were not verified yet. */
export async function storeOwner({ userId }: HttpUser, plan: { accessAllowed?: boolean; requestsPerMinute?: number }) {
  await execute(
    `insert into latchkey.owners (id, access_allowed, requests_per_minute) values ($1, $2, $3)
     on conflict (id) do update set access_allowed = $2, requests_per_minute = $3`,
    [userId, plan.accessAllowed ?? true, plan.requestsPerMinute ?? null],
  );
}

/** As if the account had never had a key. Their slots stay: nobody may go on using them. */
export async function forgetKeys({ userId }: HttpUser) {
  await execute(
    "with secrets as (delete from latchkey.api_key_secrets where owner_id = $1) delete from latchkey.api_keys where owner_id = $1",
    [userId],
  );
}

async function execute(statement: string, values: unknown[]): Promise<void> {
  const database = new Client({ connectionString: process.env.DATABASE_URL });
  await database.connect();
  await database.query(statement, values);
  await database.end();
}
