import { inArray, lte, sql } from "drizzle-orm";

import type { OutboxContext } from "./context";
import { cachePurges } from "../platform/schema";
import { describeFault } from "../platform/logger";
import { type QueuedPurge, queuedPurgeColumns, queueOf } from "./queue";
import { settlePurges } from "./settle";

type DrainContext = OutboxContext;

const batchSize = 100;
const longestPauseSeconds = 30;

/**
 * Tries the purges in the outbox that are due, batch by batch. It ends when none is due, or when Redis confirms nothing of a batch. Several
 * instances may drain at once. A claim only moves the next attempt into the future, so after a crash every purge is claimed again.
 * @returns how many purges Redis confirmed, and how many it did not.
 * @throws what the database throws. An unreachable Redis is counted in `failed`.
 */
export async function drainPurges(ctx: DrainContext): Promise<{ confirmed: number; failed: number }> {
  const total = { confirmed: 0, failed: 0 };
  for (;;) {
    const claimed = await claimDue(ctx);
    if (claimed.length === 0) return total;
    // Everything that is queued for these keys, due or not: a revocation is effective only when all of it is confirmed.
    const queue = await queueOf(ctx.db, [...new Set(claimed.map((purge) => purge.keyId))]);
    const { confirmed } = await settlePurges(ctx, queue);
    const confirmedNow = confirmed.filter(Boolean).length;
    total.confirmed += confirmedNow;
    total.failed += confirmed.length - confirmedNow;
    // Redis confirms nothing: the rest can wait for the next drain.
    if (confirmedNow === 0) return total;
  }
}

/**
 * Chooses the rows by their state and not by the last id seen, so that a row that commits late is still found. The pause doubles with each
 * attempt, up to about 30 s. A random part keeps many processes from coming back at the same moment.
 */
async function claimDue(ctx: DrainContext): Promise<QueuedPurge[]> {
  const due = ctx.db
    .select({ id: cachePurges.id })
    .from(cachePurges)
    .where(lte(cachePurges.nextAttemptAt, sql`clock_timestamp()`))
    .orderBy(cachePurges.nextAttemptAt)
    .limit(batchSize)
    .for("update", { skipLocked: true });
  const pauseSeconds = sql`least(power(2, least(${cachePurges.attempts}, 10)), ${longestPauseSeconds}) * (0.5 + random())`;
  return ctx.db
    .update(cachePurges)
    .set({
      attempts: sql`${cachePurges.attempts} + 1`,
      nextAttemptAt: sql`clock_timestamp() + ${pauseSeconds} * interval '1 second'`,
    })
    .where(inArray(cachePurges.id, due))
    .returning(queuedPurgeColumns);
}

const idleMilliseconds = 1_000;

/** Drains again and again, for as long as the process lives. @returns a function that stops it and waits for the drain under way. */
export function startDraining(ctx: DrainContext): () => Promise<void> {
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let underWay = Promise.resolve();

  async function drainOnce() {
    try {
      const { confirmed, failed } = await drainPurges(ctx);
      if (confirmed + failed > 0) ctx.logger.info({ confirmed, failed }, "purges drained");
    } catch (fault) {
      ctx.logger.warn({ fault: describeFault(fault) }, "purges not drained");
    }
    if (!isStopped) schedule();
  }
  function schedule() {
    timer = setTimeout(() => {
      underWay = drainOnce();
    }, idleMilliseconds).unref();
  }
  schedule();
  return async () => {
    isStopped = true;
    clearTimeout(timer);
    await underWay;
  };
}
