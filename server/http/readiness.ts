import { type EventBacklog, readEventBacklog } from "../events";
import type { ServerContext } from "../keys/context";
import { readBacklog } from "../outbox/queue";

export interface Readiness {
  isReady: boolean;
  postgres: "ok" | "unreachable";
  redis: "ok" | "unreachable";
  /** How long the oldest purge has waited until now for Redis to confirm it. Null when there is none, or Postgres cannot be asked. */
  oldestPendingPurgeSeconds: number | null;
  /** How long ago a drain of this process had every due purge confirmed, or found none. Null: never since its start. */
  lastDrainSeconds: number | null;
  /** How many strings were reported to this process as leaked keys. It does not say whether they were any: nobody may learn that here. */
  leaksReceived: number;
  /** Absent: events are sent nowhere. Null: Postgres cannot be asked. */
  events?: (EventBacklog & { isRefused: boolean }) | null;
}

/** The slot of no key: nothing hashes to it. */
const nobodysHash = Buffer.alloc(32);

/**
 * Checks whether this process reaches Postgres, and a Redis that confirms purges. A replica answers and confirms none, so it counts as unreachable.
 * Each check takes at most the time budget of its client. It never throws.
 */
export async function checkReadiness(
  ctx: Pick<ServerContext, "db" | "slots" | "events" | "metrics">,
): Promise<Readiness> {
  const [purges, confirmed, events] = await Promise.allSettled([
    readBacklog(ctx.db),
    ctx.slots.purge([{ hash: nobodysHash, target: "absent" }]),
    ctx.events && readEventState(ctx.db, ctx.events),
  ]);
  const oldest = purges.status === "fulfilled" ? purges.value.oldestSeconds : null;
  const postgres = purges.status === "fulfilled" ? "ok" : "unreachable";
  const redis = confirmed.status === "fulfilled" && confirmed.value[0] ? "ok" : "unreachable";
  const { lastDrainSeconds, leaksReceived } = ctx.metrics.read();
  return {
    isReady: postgres === "ok" && redis === "ok",
    postgres,
    redis,
    oldestPendingPurgeSeconds: wholeSeconds(oldest),
    lastDrainSeconds: wholeSeconds(lastDrainSeconds),
    leaksReceived,
    ...(ctx.events && { events: (events.status === "fulfilled" && events.value) || null }),
  };
}

async function readEventState(db: ServerContext["db"], sender: NonNullable<ServerContext["events"]>) {
  const { oldestSeconds, ...backlog } = await readEventBacklog(db);
  return { ...backlog, oldestSeconds: wholeSeconds(oldestSeconds), isRefused: sender.isRefused() };
}

const wholeSeconds = (seconds: number | null) => (seconds === null ? null : Math.max(0, Math.round(seconds)));
