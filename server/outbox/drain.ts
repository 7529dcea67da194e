import { setTimeout as sleep } from "node:timers/promises";

import { gt, inArray, lte, sql } from "drizzle-orm";

import type { OutboxContext } from "./context";
import { cachePurges } from "../platform/schema";
import { describeFault } from "../platform/logger";
import type { Slots } from "../slot/slot";
import { afterThisAttempt, queueOf, readBacklog } from "./queue";
import { settlePurges } from "./settle";

const batchSize = 200;
/** A drain begins no batch later than this. So `GET /api/cron/purge` ends within the time that hosts give a function. */
const budgetMilliseconds = 8_000;

interface DrainOptions {
  dueOrNot?: boolean;
  now?: () => number;
}

interface Drained {
  confirmed: number;
  failed: number;
}

/**
 * Tries the purges in the outbox that are due, batch by batch, as soon as Redis has confirmed a probe. While Redis confirms none, a drain
 * costs one request and changes no row. So when Redis is back no purge waits for a pause of its own, however long the outage was.
 *
 * Several instances may drain at once. A claim only moves the next attempt a little into the future, so after a crash every purge is claimed
 * again.
 * @param options.dueOrNot also tries the purges that somebody has just tried, or is trying now.
 * @returns how many purges Redis confirmed, and how many it did not. When it takes no purges, all that wait count as failed. A purge for
 *   which no time was left counts as neither.
 * @throws what the database throws.
 */
export async function drainPurges(ctx: OutboxContext, options: DrainOptions = {}): Promise<Drained> {
  const drained = await drainDue(ctx, options);
  if (drained.failed === 0) ctx.metrics.noteDrain();
  return drained;
}

async function drainDue(
  ctx: OutboxContext,
  { dueOrNot = false, now = () => performance.now() }: DrainOptions,
): Promise<Drained> {
  const endsAt = now() + budgetMilliseconds;
  const dueBy = await readClockIfAnyIsDue(ctx, dueOrNot);
  if (!dueBy) return { confirmed: 0, failed: 0 };
  let confirmed = 0;
  const failed = new Set<string>();
  const apart: string[][] = [];
  let takesPurges = await confirmsProbe(ctx);
  if (takesPurges && dueOrNot) await makeDue(ctx, dueBy);
  while (takesPurges && now() < endsAt) {
    const claimed = await claimDue(ctx, dueBy);
    const keyIds = claimed.length > 0 ? claimed : apart.shift();
    if (!keyIds) break;
    // Everything that is queued for these keys, due or not: a revocation is effective only when all of it is confirmed.
    const queue = await queueOf(ctx.db, keyIds);
    const settled = await settlePurges(ctx, queue);
    queue.purges.forEach(({ id }, at) => (settled.confirmed[at] ? failed.delete(id) : failed.add(id)));
    const confirmedNow = settled.confirmed.filter(Boolean).length;
    confirmed += confirmedNow;
    if (confirmedNow > 0 || queue.purges.length === 0) continue;
    // Redis may be gone again. If not, one purge may have spoilt the request: it ends alone, after all others.
    takesPurges = await confirmsProbe(ctx);
    if (keyIds.length > 1) apart.push(...halvesOf(keyIds));
  }
  return { confirmed, failed: takesPurges ? failed.size : (await readBacklog(ctx.db)).count };
}

/** No key has this hash, so its purge changes nothing. It shows whether Redis takes purges at all. */
const probe = { hash: Buffer.alloc(32), target: "absent" } as const;
const probesUnderWay = new WeakMap<Slots, Promise<boolean>>();

/** A process sends one probe at a time. Who asks meanwhile gets the answer of that one. */
function confirmsProbe(ctx: OutboxContext): Promise<boolean> {
  const { slots } = ctx;
  const underWay = probesUnderWay.get(slots) ?? sendProbe(ctx).finally(() => probesUnderWay.delete(slots));
  probesUnderWay.set(slots, underWay);
  return underWay;
}

async function sendProbe({ slots, logger }: OutboxContext): Promise<boolean> {
  try {
    const [isConfirmed = false] = await slots.purge([probe]);
    return isConfirmed;
  } catch (fault) {
    // Policy: an unreachable Redis is no error of the drain. The purges stay in the outbox.
    logger.warn({ fault: describeFault(fault) }, "Redis takes no purges");
    return false;
  }
}

/**
 * The database's clock; null when nothing is due. A drain takes only what was due when it began, so it ends though it claims by state. By the
 * last id seen it would miss a row that commits late. As text, since a Date has no microseconds.
 */
async function readClockIfAnyIsDue({ db }: OutboxContext, dueOrNot: boolean): Promise<string | null> {
  const isDue = dueOrNot ? undefined : lte(cachePurges.nextAttemptAt, sql`clock_timestamp()`);
  const [row] = await db
    .select({ clock: sql<string>`clock_timestamp()::text` })
    .from(cachePurges)
    .where(isDue)
    .limit(1);
  return row?.clock ?? null;
}

async function makeDue({ db }: OutboxContext, dueBy: string): Promise<void> {
  const waiting = db
    .select({ id: cachePurges.id })
    .from(cachePurges)
    .where(gt(cachePurges.nextAttemptAt, sql`${dueBy}::timestamptz`))
    .for("update", { skipLocked: true });
  await db
    .update(cachePurges)
    .set({ nextAttemptAt: sql`${cachePurges.createdAt}` })
    .where(inArray(cachePurges.id, waiting));
}

/** Claims the purges that have waited longest. @returns the ids of their keys. */
async function claimDue({ db }: OutboxContext, dueBy: string): Promise<string[]> {
  // Named with `with`, so that it runs once. As a subquery Postgres may run it for each row, and each run claims other rows than the last.
  const due = db.$with("due").as(
    db
      .select({ id: cachePurges.id })
      .from(cachePurges)
      .where(lte(cachePurges.nextAttemptAt, sql`${dueBy}::timestamptz`))
      .orderBy(cachePurges.nextAttemptAt)
      .limit(batchSize)
      .for("update", { skipLocked: true }),
  );
  const claimed = await db
    .with(due)
    .update(cachePurges)
    .set({ attempts: sql`${cachePurges.attempts} + 1`, nextAttemptAt: afterThisAttempt })
    .where(inArray(cachePurges.id, db.select({ id: due.id }).from(due)))
    .returning({ keyId: cachePurges.keyId });
  return [...new Set(claimed.map(({ keyId }) => keyId))];
}

function halvesOf(keyIds: readonly string[]): string[][] {
  const middle = Math.ceil(keyIds.length / 2);
  return [keyIds.slice(0, middle), keyIds.slice(middle)];
}

/** The only pause between two probes of a process. With the 2 s of a purge that was just tried it is well below 5 s. */
const pauseMilliseconds = 1_000;

const pauseUntilAborted = (milliseconds: number, signal: AbortSignal): Promise<unknown> =>
  sleep(milliseconds, undefined, { ref: false, signal }).catch(() => undefined);

/**
 * Drains again and again, for as long as the process lives.
 * @param afterEach runs after each drain. It must be short, since the next drain waits for it, and it must not throw.
 * @returns a function that stops it and waits for the drain under way.
 */
export function startDraining(
  ctx: OutboxContext,
  pause = pauseUntilAborted,
  afterEach: () => Promise<void> = () => Promise.resolve(),
): () => Promise<void> {
  const stop = new AbortController();
  const ended = drainUntil(ctx, stop.signal, pause, afterEach);
  return async () => {
    stop.abort();
    await ended;
  };
}

async function drainUntil(
  ctx: OutboxContext,
  stopped: AbortSignal,
  pause: typeof pauseUntilAborted,
  afterEach: () => Promise<void>,
): Promise<void> {
  while (!stopped.aborted) {
    try {
      const { confirmed, failed } = await drainPurges(ctx);
      if (confirmed + failed > 0) ctx.logger.info({ confirmed, failed }, "purges drained");
    } catch (fault) {
      ctx.logger.warn({ fault: describeFault(fault) }, "purges not drained");
    }
    await afterEach();
    await pause(pauseMilliseconds, stopped);
  }
}
