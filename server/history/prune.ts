import { sql } from "drizzle-orm";

import type { Database, Statements } from "../platform/database";
import { describeFault, type Logger } from "../platform/logger";
import { eventDeliveries, keyEvents } from "../platform/schema";
import { firstEventIdAt } from "./event-id";

/** What pruning needs. */
export interface PruneContext {
  db: Database;
  logger: Logger;
  settings: { historyDays: number };
}

export const defaultHistoryDays = 365;

/** In one transaction. It takes some milliseconds, so no purge waits behind it. */
const batchSize = 1_000;
/** For `GET /api/cron/purge`, which has tried the purges before. */
const budgetMilliseconds = 2_000;
const hourMilliseconds = 3_600_000;
const minuteMilliseconds = 60_000;

/**
 * Deletes the oldest events that are older than the history is kept, in one batch. Where several processes call this at once, one of them
 * deletes, and the others go on without waiting.
 * @returns how many were deleted. Fewer than 1,000: there are no more of them, or another process is deleting.
 * @throws what the database throws.
 */
export async function pruneEvents({ db, settings }: Pick<PruneContext, "db" | "settings">): Promise<number> {
  const days = settings.historyDays;
  const { result } = await db.commit(async (transaction) => {
    // The trigger lets older rows go only in a transaction that says so.
    const { rows } = await transaction.execute<{ is_alone: boolean }>(sql`
      select set_config('latchkey.history_days', ${String(days)}, true),
        pg_try_advisory_xact_lock(hashtext('latchkey history')) as is_alone`);
    if (!rows[0]?.is_alone) return 0;
    // What is deleted cannot be sent any more.
    const { rowCount } = await transaction.execute(sql`
      with old as materialized (${selectOldEvents(transaction, days)}),
        unsent as (delete from ${eventDeliveries} where event_id in (select id from old))
      delete from ${keyEvents} where id in (select id from old)`);
    return rowCount ?? 0;
  });
  return result;
}

/**
 * The ids of a batch. By now() and no other clock: only a value that stays the same can be looked up in the index. The days have 24 hours,
 * whatever the time zone.
 */
export function selectOldEvents(statements: Statements, days: number) {
  return statements
    .select({ id: keyEvents.id })
    .from(keyEvents)
    .where(sql`${keyEvents.id} < ${firstEventIdAt(sql`(now() - ${days} * interval '24 hours')`)}`)
    .orderBy(keyEvents.id)
    .limit(batchSize);
}

/** Prunes batch by batch until nothing is left or 2 s are over. It never throws: what fails is logged, and the next call tries again. */
export async function pruneInTime(ctx: PruneContext, now = () => performance.now()): Promise<void> {
  const endsAt = now() + budgetMilliseconds;
  try {
    while ((await pruneEvents(ctx)) === batchSize) if (now() >= endsAt) return;
  } catch (fault) {
    ctx.logger.warn({ fault: describeFault(fault) }, "history not pruned");
  }
}

/**
 * For a process that lives long: a function to call as often as one likes. A call prunes one batch. When there are no more, the calls of the
 * next hour do nothing; after a failure, which is logged, those of the next minute.
 */
export function createPruner(ctx: PruneContext, now = () => performance.now()): () => Promise<void> {
  let nextAt = 0;
  return async () => {
    if (now() < nextAt) return;
    nextAt = now() + minuteMilliseconds;
    try {
      nextAt = (await pruneEvents(ctx)) === batchSize ? 0 : now() + hourMilliseconds;
    } catch (fault) {
      ctx.logger.warn({ fault: describeFault(fault) }, "history not pruned");
    }
  };
}
