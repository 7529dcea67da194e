import { sql } from "drizzle-orm";

import type { SlotPurge } from "../slot/slot";
import type { Statements } from "../platform/database";
import { apiKeys, cachePurges } from "../platform/schema";

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
  const hashes = "hashes" in slots ? sql.param([...slots.hashes]) : null;
  const keyIds = "keyIds" in slots ? sql.param([...slots.keyIds]) : null;
  const { rows } = await transaction.execute<QueuedRow>(sql`
    select * from latchkey.queue_purges(${slots.target}, ${keyIds}::uuid[], ${hashes}::bytea[], ${afterThisAttempt})`);
  const queue = toQueue(rows);
  return slots.target === "absent" ? { ...queue, revoked: new Map() } : queue;
}

/**
 * Everything that is queued for these keys. A revocation is effective only when all of a key's hashes are purged, also those of secrets that
 * were replaced.
 */
export async function queueOf(statements: Statements, keyIds: readonly string[]): Promise<KeyQueue> {
  // One statement reads one snapshot: when it sees a revocation, it sees all of its purges.
  // Tombstones last: a purge to absent after one would remove it, and the next verification would have to read the database.
  const { rows } = await statements.execute<QueuedRow>(sql`
    select purge.id, purge.key_id, purge.secret_hash, purge.target, purge.generation, of_key.revoked_at, of_key.effective_at
    from ${cachePurges} as purge join ${apiKeys} as of_key on of_key.id = purge.key_id
    where purge.key_id = any(${sql.param([...keyIds])}::uuid[])
    order by purge.target`);
  return toQueue(rows);
}

/** A row that `latchkey.queue_purges` returns. */
export interface QueuedRow extends Record<string, unknown> {
  id: string;
  key_id: string;
  secret_hash: Buffer;
  target: SlotPurge["target"];
  generation: number;
  revoked_at: string | null;
  effective_at: string | null;
}

export function toQueue(rows: readonly QueuedRow[]): KeyQueue {
  const revoked = rows.filter((row) => row.revoked_at);
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
