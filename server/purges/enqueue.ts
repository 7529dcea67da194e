import { and, eq, sql } from "drizzle-orm";

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

/** Puts a purge into the outbox, in the transaction of the change that needs it: the two commit together or not at all. */
export async function enqueuePurge(
  transaction: Statements,
  purge: Pick<QueuedPurge, "keyId" | "hash" | "target">,
): Promise<QueuedPurge[]> {
  return transaction
    .insert(cachePurges)
    .values({ ...purge, nextAttemptAt: afterImmediateAttempt })
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

/** The revocations of a key's hashes that Redis has not confirmed: its own, and those of secrets that a retried create replaced. */
export async function queuedRevocations(statements: Statements, keyId: string): Promise<QueuedPurge[]> {
  return statements
    .select(queuedPurgeColumns)
    .from(cachePurges)
    .where(and(eq(cachePurges.keyId, keyId), eq(cachePurges.target, "revoked")));
}
