import { type SQL, sql } from "drizzle-orm";

import type { SlotPurge } from "../slot/slot";
import type { Statements } from "../platform/database";
import { apiKeys, apiKeySecrets, cachePurges } from "../platform/schema";

/**
 * The slots that a change makes out of date: of some secrets, or of the keys' secrets. Of these a revocation means every one that Redis has
 * not confirmed as revoked already, and any other change those that may still be accepted.
 */
export type OutdatedSlots = { target: SlotPurge["target"] } & (
  { hashes: readonly Buffer[] } | { keyIds: readonly string[] }
);

/** A purge in the outbox. `generation` rises when the same purge is asked for again. A confirmation is for one generation only. */
export interface QueuedPurge extends SlotPurge {
  id: string;
  keyId: string;
  generation: number;
}

/** What the outbox holds for some keys, and which of these are revoked. */
export interface KeyQueue {
  purges: QueuedPurge[];
  /** The revoked ones by id, with the time at which the revocation was recorded as effective; null while it is not. */
  revoked: Map<string, Date | null>;
}

/** How much the outbox holds, for operators. */
export interface Backlog {
  count: number;
  /** How long the oldest purge has waited; null when there is none. */
  oldestSeconds: number | null;
}

export async function readBacklog(statements: Statements): Promise<Backlog> {
  const age = sql<string | null>`extract(epoch from clock_timestamp() - min(${cachePurges.createdAt}))`;
  const [row] = await statements.select({ count: sql<string>`count(*)`, age }).from(cachePurges);
  const oldest = row?.age ?? null;
  return { count: Number(row?.count ?? 0), oldestSeconds: oldest === null ? null : Math.max(0, Number(oldest)) };
}

/**
 * Whoever enqueues or claims a purge tries it at once. Others leave it alone until that attempt has failed or its process has died. This is
 * longer than the time budget of a purge, and it never grows: every purge that failed is tried again soon.
 */
export const afterThisAttempt = sql`clock_timestamp() + interval '2 seconds'`;

/**
 * Puts purges into the outbox, in the transaction of the change that needs them. So both are committed, or neither is.
 *
 * The hashes are read here, by a statement of its own that starts after the change has locked the keys. A part of the statement that locks
 * them would not see the secret that a retried create adds while that statement waits for the lock.
 * @returns these purges. For a revocation also what was queued for its keys before, such as the secret that a retried create has replaced.
 */
export async function enqueuePurges(transaction: Statements, slots: OutdatedSlots): Promise<KeyQueue> {
  const named = sql`
    insert into ${cachePurges} (key_id, secret_hash, target, next_attempt_at)
    select key_id, secret_hash, ${slots.target}, ${afterThisAttempt} from ${apiKeySecrets} where ${secretsOf(slots)}
    on conflict (secret_hash, target) do update set
      generation = ${cachePurges}.generation + 1, next_attempt_at = excluded.next_attempt_at, attempts = 0
    returning ${queuedColumns}`;
  if (slots.target === "absent") {
    const { rows } = await transaction.execute<QueuedRow>(named);
    return { purges: rows.map(toQueuedPurge), revoked: new Map() };
  }
  return readQueue(
    transaction,
    sql`select * from named
      union all
      select ${queuedColumns} from ${cachePurges}
      where key_id in (select key_id from named) and id not in (select id from named)`,
    sql`with named as (${named})`,
  );
}

function secretsOf(slots: OutdatedSlots) {
  if ("hashes" in slots) return sql`secret_hash = any(${sql.param([...slots.hashes])}::bytea[])`;
  const isOutdated = slots.target === "revoked" ? sql`effective_at is null` : sql`state <> 'revoked'`;
  return sql`key_id = any(${sql.param([...slots.keyIds])}::uuid[]) and ${isOutdated}`;
}

/**
 * Everything that is queued for these keys. A revocation is effective only when all of a key's hashes are purged, also those of secrets that
 * were replaced.
 */
export function queueOf(statements: Statements, keyIds: readonly string[]): Promise<KeyQueue> {
  const isOfThem = sql`key_id = any(${sql.param([...keyIds])}::uuid[])`;
  return readQueue(statements, sql`select ${queuedColumns} from ${cachePurges} where ${isOfThem}`);
}

const queuedColumns = sql.raw("id, key_id, secret_hash, target, generation");
interface QueuedRow extends Record<string, unknown> {
  id: string;
  key_id: string;
  secret_hash: Buffer;
  target: SlotPurge["target"];
  generation: number;
}

/** One statement reads one snapshot: when it sees a revocation, it sees all of its purges. */
async function readQueue(statements: Statements, queued: SQL, before: SQL = sql``): Promise<KeyQueue> {
  // Tombstones last: a purge to absent after one would remove it, and the next verification would have to read the database.
  const { rows } = await statements.execute<QueuedRow & { is_revoked: boolean; effective_at: string | null }>(sql`
    ${before}
    select queued.*, owner_key.revoked_at is not null as is_revoked, owner_key.effective_at
    from (${queued}) as queued join ${apiKeys} as owner_key on owner_key.id = queued.key_id
    order by queued.target`);
  const revoked = rows.filter((row) => row.is_revoked);
  return {
    purges: rows.map(toQueuedPurge),
    revoked: new Map(revoked.map((row) => [row.key_id, row.effective_at ? new Date(row.effective_at) : null])),
  };
}

const toQueuedPurge = (row: QueuedRow): QueuedPurge => ({
  id: row.id,
  keyId: row.key_id,
  hash: row.secret_hash,
  target: row.target,
  generation: row.generation,
});
