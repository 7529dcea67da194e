import { sql } from "drizzle-orm";

import type { OutboxContext } from "./context";
import { lockedKeyIds } from "../platform/locks";
import { apiKeys, cachePurges } from "../platform/schema";
import { describeFault } from "../platform/logger";
import type { KeyQueue, QueuedPurge } from "./queue";

/** What came of one attempt. Every time in it is of the database's clock. */
export interface Settlement {
  /** For each purge whether Redis confirmed it. */
  confirmed: boolean[];
  /** When the confirmed ones were recorded; null when there was none, or when they could not be recorded. */
  recordedAt: Date | null;
  /** By key id: when each revocation of which everything is confirmed became effective. */
  effectiveAt: Map<string, Date>;
}

/**
 * Tries to carry out purges from the outbox, once, in one Redis request.
 *
 * @param queue everything that is queued for its revoked keys, as `queueOf` gives it. Nothing can be added to that later, since a
 *   revoked key gets no new hash.
 */
export async function settlePurges(ctx: OutboxContext, queue: KeyQueue): Promise<Settlement> {
  const { purges, revoked } = queue;
  let confirmed: boolean[];
  try {
    confirmed = await ctx.slots.purge(purges);
  } catch (fault) {
    // Policy: an unreachable Redis is no error of the revocation, which is committed. The purge stays in the outbox.
    ctx.logger.warn({ fault: describeFault(fault), purges: purges.length }, "purge not confirmed");
    confirmed = purges.map(() => false);
  }
  ctx.metrics.countPurges(confirmed);
  const done = purges.filter((_, at) => confirmed[at]);
  const isFullyConfirmed = (keyId: string) => purges.every((purge, at) => purge.keyId !== keyId || confirmed[at]);
  const recorded = await recordConfirmed(ctx, done, [...revoked.keys()].filter(isFullyConfirmed));
  return { confirmed, ...recorded };
}

/**
 * One statement, so that no crash can leave a key without its outbox row and without the time at which it became effective.
 * The keys' rows are locked first, in the order of their ids, as every transaction here does: no deadlock with a repeated revoke.
 */
async function recordConfirmed(
  ctx: Pick<OutboxContext, "db" | "logger">,
  done: readonly QueuedPurge[],
  effectiveKeyIds: readonly string[],
): Promise<Pick<Settlement, "recordedAt" | "effectiveAt">> {
  if (done.length === 0) return { recordedAt: null, effectiveAt: new Map() };
  const keyIds = sql`${apiKeys.id} = any(${sql.param(done.map((purge) => purge.keyId))}::uuid[])`;
  const statement = sql`
    with locked as materialized (
      ${lockedKeyIds(ctx.db, keyIds)}
    ), deleted as (
      delete from ${cachePurges} where (select count(*) from locked) > 0 and (id, generation) in (
        select * from unnest(${sql.param(done.map((purge) => purge.id))}::uuid[], ${sql.param(done.map((purge) => purge.generation))}::int[])
      )
    ), effective as (
      update ${apiKeys} set effective_at = coalesce(effective_at, clock_timestamp())
      where id in (select id from locked) and id = any(${sql.param([...effectiveKeyIds])}::uuid[])
      returning id, effective_at
    )
    select clock_timestamp() as recorded_at, effective.id, effective.effective_at from (values (1)) as always left join effective on true`;
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
