import { and, eq, inArray, isNull, ne, sql } from "drizzle-orm";

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

const queuedPurgeColumns = {
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
 */
export async function enqueuePurges(transaction: Statements, slots: OutdatedSlots): Promise<QueuedPurge[]> {
  const purges = transaction
    .select({
      id: sql<string>`gen_random_uuid()`.as("id"),
      keyId: apiKeySecrets.keyId,
      hash: apiKeySecrets.hash,
      target: sql<SlotPurge["target"]>`${slots.target}::text`.as("target"),
      generation: sql<number>`1`.as("generation"),
      createdAt: sql<Date>`clock_timestamp()`.as("created_at"),
      attempts: sql<number>`0`.as("attempts"),
      nextAttemptAt: sql<Date>`${afterThisAttempt}`.as("next_attempt_at"),
    })
    .from(apiKeySecrets)
    .where(secretsOf(slots));
  return transaction
    .insert(cachePurges)
    .select(purges)
    .onConflictDoUpdate({
      target: [cachePurges.hash, cachePurges.target],
      set: {
        generation: sql`${cachePurges.generation} + 1`,
        nextAttemptAt: afterThisAttempt,
        attempts: 0,
      },
    })
    .returning(queuedPurgeColumns);
}

function secretsOf(slots: OutdatedSlots) {
  if ("hashes" in slots) return inArray(apiKeySecrets.hash, [...slots.hashes]);
  const isOutdated =
    slots.target === "revoked" ? isNull(apiKeySecrets.effectiveAt) : ne(apiKeySecrets.state, sql`'revoked'`);
  return and(inArray(apiKeySecrets.keyId, [...slots.keyIds]), isOutdated);
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
