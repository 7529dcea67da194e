import { eq, inArray, sql } from "drizzle-orm";

import type { SlotPurge } from "../slot/slot";
import type { Statements } from "../platform/database";
import { apiKeys, cachePurges } from "../platform/schema";

/** A slot that has to be purged, and the key that it belongs to. */
export interface Purge extends SlotPurge {
  keyId: string;
}

/** A purge in the outbox. `generation` rises when the same purge is asked for again. A confirmation is for one generation only. */
export interface QueuedPurge extends Purge {
  id: string;
  generation: number;
}

/** What the outbox holds for some keys, and which of these are revoked. */
export interface KeyQueue {
  purges: QueuedPurge[];
  /** The revoked ones by id, with the time at which the revocation was recorded as effective; null while it is not. */
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

/** The request that enqueues a purge tries it at once. The drain waits until that attempt has failed or its process has died. */
const afterImmediateAttempt = sql`clock_timestamp() + interval '3 seconds'`;

/** Puts purges into the outbox, in the transaction of the change that needs them. So both are committed, or neither is. */
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
 * Everything that is queued for these keys. A revocation is effective only when all of a key's hashes are purged, also those of secrets that
 * were replaced. One statement reads one snapshot: when it sees a revocation, it sees all of its purges.
 */
export async function queueOf(statements: Statements, keyIds: readonly string[]): Promise<KeyQueue> {
  const queued = await statements
    .select({ purge: queuedPurgeColumns, revokedAt: apiKeys.revokedAt, effectiveAt: apiKeys.effectiveAt })
    .from(cachePurges)
    .innerJoin(apiKeys, eq(apiKeys.id, cachePurges.keyId))
    .where(inArray(cachePurges.keyId, [...keyIds]))
    // Tombstones last: a purge to absent after one would remove it, and the next verification would have to read the database.
    .orderBy(cachePurges.target);
  return {
    purges: queued.map(({ purge }) => purge),
    revoked: new Map(
      queued.flatMap(({ purge, revokedAt, effectiveAt }) => (revokedAt ? [[purge.keyId, effectiveAt] as const] : [])),
    ),
  };
}
