import type { ServerContext } from "../keys/context";
import { readBacklog } from "../outbox/queue";

export interface Readiness {
  isReady: boolean;
  postgres: "ok" | "unreachable";
  redis: "ok" | "unreachable";
  /** How long the oldest purge has waited for Redis's confirmation; null when there is none or Postgres cannot be asked. */
  oldestPendingPurgeSeconds: number | null;
}

/** Whether this process reaches what it needs. Each check keeps to the time budget of its client. */
export async function checkReadiness(ctx: Pick<ServerContext, "db" | "redis">): Promise<Readiness> {
  const [purges, ping] = await Promise.allSettled([readBacklog(ctx.db), ctx.redis.purge.eval("return 'pong'", [], [])]);
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
