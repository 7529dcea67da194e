import { sql } from "drizzle-orm";

import type { OutboxContext } from "./context";
import { describeFault } from "../platform/logger";
import type { KeyQueue, QueuedPurge } from "./queue";

/** In one request to Redis. More could take longer than its time budget, or be larger than a provider takes, and then never be confirmed. */
const mostAtOnce = 200;

/** What came of one attempt. All times are of the database's clock. */
export interface Settlement {
  /** For each purge, whether Redis confirmed it. */
  confirmed: boolean[];
  /** When the confirmed purges were recorded; null when there was none, or when they could not be recorded. */
  recordedAt: Date | null;
  /**
   * When revocations became effective: by key id for each revoked key whose purges are all confirmed and recorded, and by hash, in
   * hexadecimal, for each secret that was revoked alone.
   */
  effectiveAt: Map<string, Date>;
}

/**
 * Tries purges of the outbox once, in one Redis request for each 200, and records those that Redis confirmed. It never throws: what fails is logged and
 * stays in the outbox.
 *
 * @param queue for revoked keys everything that is queued, as `queueOf` gives it. Nothing can come later, since a revoked key gets no new
 *   secret.
 */
export async function settlePurges(ctx: OutboxContext, queue: KeyQueue): Promise<Settlement> {
  const { purges, revoked } = queue;
  const confirmed = await purgeAll(ctx, purges);
  ctx.metrics.countPurges(confirmed);
  const done = purges.filter((_, at) => confirmed[at]);
  const unconfirmed = new Set(purges.filter((_, at) => !confirmed[at]).map((purge) => purge.keyId));
  const recorded = await recordConfirmed(
    ctx,
    done,
    [...revoked.keys()].filter((keyId) => !unconfirmed.has(keyId)),
  );
  return { confirmed, ...recorded };
}

/** Policy: the change is committed, so an unreachable Redis is no error of it. After a request that failed no other is tried. */
async function purgeAll(ctx: OutboxContext, purges: readonly QueuedPurge[]): Promise<boolean[]> {
  const confirmed: boolean[] = [];
  try {
    for (let from = 0; from < purges.length; from += mostAtOnce)
      confirmed.push(...(await ctx.slots.purge(purges.slice(from, from + mostAtOnce))));
  } catch (fault) {
    // These purges stay in the outbox.
    ctx.logger.warn({ fault: describeFault(fault), purges: purges.length - confirmed.length }, "purge not confirmed");
  }
  return purges.map((_, at) => confirmed[at] ?? false);
}

/**
 * Deletes the outbox rows and sets `effective_at` in one statement, and a trigger records in the history that it is set. So no crash can
 * leave a revocation with only a part of the three. The keys' rows are locked first, in the order of their ids, as in every transaction
 * here. So there is no deadlock with a repeated revoke.
 */
async function recordConfirmed(
  ctx: Pick<OutboxContext, "db" | "logger">,
  done: readonly QueuedPurge[],
  effectiveKeyIds: readonly string[],
): Promise<Pick<Settlement, "recordedAt" | "effectiveAt">> {
  if (done.length === 0) return { recordedAt: null, effectiveAt: new Map() };
  const keyIds = done.map((purge) => purge.keyId);
  const purgeIds = done.map((purge) => purge.id);
  const generations = done.map((purge) => purge.generation);
  const revokedHashes = done.filter((purge) => purge.target === "revoked").map((purge) => purge.hash);
  const statement = sql`
    select clock_timestamp() as recorded_at, receipts.id, receipts.effective_at
    from (values (1)) as always left join latchkey.record_confirmed(
      ${sql.param(keyIds)}::uuid[], ${sql.param(purgeIds)}::uuid[], ${sql.param(generations)}::int[],
      ${sql.param([...effectiveKeyIds])}::uuid[], ${sql.param(revokedHashes)}::bytea[], ${ctx.db.sendsEvents ?? false}
    ) as receipts on true`;
  try {
    const { rows } = await ctx.db.execute<{ recorded_at: string; id: string | null; effective_at: string }>(statement);
    const [first] = rows;
    return {
      recordedAt: first ? new Date(first.recorded_at) : null,
      effectiveAt: new Map(rows.flatMap((row) => (row.id ? [[row.id, new Date(row.effective_at)] as const] : []))),
    };
  } catch (fault) {
    ctx.logger.warn({ fault: describeFault(fault) }, "confirmed purge not recorded; the outbox repeats it");
    return { recordedAt: null, effectiveAt: new Map() };
  }
}
