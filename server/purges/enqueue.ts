import { and, eq, inArray, sql } from "drizzle-orm";

import type { SlotPurge } from "../api-keys/slot";
import type { Statements } from "../db/client";
import { cachePurges } from "../db/schema";

/** A purge in the outbox. `generation` tells the request that is meant from a later one for the same hash. */
export interface QueuedPurge extends SlotPurge {
  id: string;
  keyId: string;
  generation: number;
}

export const queuedPurgeColumns = {
  id: cachePurges.id,
  keyId: cachePurges.keyId,
  hash: cachePurges.hash,
  target: cachePurges.target,
  generation: cachePurges.generation,
};

/** The request that enqueues a purge attempts it at once; the drain comes in when that has failed or died. */
const afterImmediateAttempt = sql`clock_timestamp() + interval '3 seconds'`;

/** Puts purges into the outbox, in the transaction of the change that needs them: all of it commits together or not at all. */
export async function enqueuePurges(
  transaction: Statements,
  purges: readonly Pick<QueuedPurge, "keyId" | "hash" | "target">[],
): Promise<QueuedPurge[]> {
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

/** The revocations of the keys' hashes that Redis has not confirmed: their own, and of secrets that a retried create replaced. */
export async function queuedRevocations(statements: Statements, keyIds: readonly string[]): Promise<QueuedPurge[]> {
  return statements
    .select(queuedPurgeColumns)
    .from(cachePurges)
    .where(and(inArray(cachePurges.keyId, [...keyIds]), eq(cachePurges.target, "revoked")));
}
