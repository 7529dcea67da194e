import type { ServerContext } from "../keys/context";
import { readBacklog } from "../outbox/queue";

export interface Readiness {
  isReady: boolean;
  postgres: "ok" | "unreachable";
  redis: "ok" | "unreachable";
  /** How long the oldest purge has waited until now for Redis to confirm it. Null when there is none, or Postgres cannot be asked. */
  oldestPendingPurgeSeconds: number | null;
}

/** Checks whether this process reaches Postgres and Redis. Each check takes at most the time budget of its client. It never throws. */
export async function checkReadiness(ctx: Pick<ServerContext, "db" | "redis">): Promise<Readiness> {
  const pinging = ctx.redis.purge.evaluate("return 'pong'", { keys: [], args: [] });
  const [purges, ping] = await Promise.allSettled([readBacklog(ctx.db), pinging]);
  const oldest = purges.status === "fulfilled" ? purges.value.oldestSeconds : null;
  const postgres = purges.status === "fulfilled" ? "ok" : "unreachable";
  const redis = ping.status === "fulfilled" && ping.value === "pong" ? "ok" : "unreachable";
  return {
    isReady: postgres === "ok" && redis === "ok",
    postgres,
    redis,
    oldestPendingPurgeSeconds: oldest === null ? null : Math.round(oldest),
  };
}
