import { eq, inArray, sql } from "drizzle-orm";

import type { SlotPurge } from "../slot/slot";
import type { Statements } from "../platform/database";
import { apiKeys, cachePurges } from "../platform/schema";

/** A slot that has to be purged, and the key whose change makes it so. */
export interface Purge extends SlotPurge {
  keyId: string;
}

/** A purge in the outbox. `generation` tells the request that is meant from a later one for the same hash. */
export interface QueuedPurge extends Purge {
  id: string;
  generation: number;
}

/** What the outbox holds for some keys, and which of these are revoked. */
export interface KeyQueue {
  purges: QueuedPurge[];
  /** With the time at which the revocation was recorded as effective, null before. */
  revoked: Map<string, Date | null>;
}

export const queuedPurgeColumns = {
  id: cachePurges.id,
  keyId: cachePurges.keyId,
  hash: cachePurges.hash,
  target: cachePurges.target,
  generation: cachePurges.generation,
};

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

/** The request that enqueues a purge attempts it at once; the drain comes in when that has failed or died. */
const afterImmediateAttempt = sql`clock_timestamp() + interval '3 seconds'`;

/** Puts purges into the outbox, in the transaction of the change that needs them: all of it commits together or not at all. */
export async function enqueuePurges(transaction: Statements, purges: readonly Purge[]): Promise<QueuedPurge[]> {
  if (purges.length === 0) return [];
  return transaction
    .insert(cachePurges)
    .values(purges.map((purge) => ({ ...purge, nextAttemptAt: afterImmediateAttempt })))
    .onConflictDoUpdate({
      target: [cachePurges.hash, cachePurges.target],
      set: {
        generation: sql`${cachePurges.generation} + 1`,
        nextAttemptAt: afterImmediateAttempt,
        attempts: 0,
      },
    })
    .returning(queuedPurgeColumns);
}

/**
 * Everything that is queued for these keys: a revocation is effective only when all of a key's hashes are purged, those of replaced
 * secrets too. One statement and so one snapshot: a revocation that it sees is seen together with all of its purges.
 */
export async function queueOf(statements: Statements, keyIds: readonly string[]): Promise<KeyQueue> {
  const queued = await statements
    .select({ purge: queuedPurgeColumns, revokedAt: apiKeys.revokedAt, effectiveAt: apiKeys.effectiveAt })
    .from(cachePurges)
    .innerJoin(apiKeys, eq(apiKeys.id, cachePurges.keyId))
    .where(inArray(cachePurges.keyId, [...keyIds]))
    // Tombstones last: a slot that is emptied after one costs a read of the database.
    .orderBy(cachePurges.target);
  return {
    purges: queued.map(({ purge }) => purge),
    revoked: new Map(
      queued.flatMap(({ purge, revokedAt, effectiveAt }) => (revokedAt ? [[purge.keyId, effectiveAt] as const] : [])),
    ),
  };
}
