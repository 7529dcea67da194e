import { sql } from "drizzle-orm";

import type { ServerContext } from "../keys/context";
import { cachePurges } from "../platform/schema";

export interface Readiness {
  isReady: boolean;
  postgres: "ok" | "unreachable";
  redis: "ok" | "unreachable";
  /** How long the oldest purge has waited for Redis's confirmation; null when there is none or Postgres cannot be asked. */
  oldestPendingPurgeSeconds: number | null;
}

/** Whether this process reaches what it needs. Each check keeps to the time budget of its client. */
export async function checkReadiness(ctx: Pick<ServerContext, "db" | "redis">): Promise<Readiness> {
  const age = sql<string | null>`extract(epoch from clock_timestamp() - min(${cachePurges.createdAt}))`;
  const [purges, ping] = await Promise.allSettled([
    ctx.db.select({ age }).from(cachePurges),
    ctx.redis.purge.eval("return 'pong'", [], []),
  ]);
  const oldest = purges.status === "fulfilled" ? purges.value[0]?.age : null;
  const postgres = purges.status === "fulfilled" ? "ok" : "unreachable";
  const redis = ping.status === "fulfilled" && ping.value === "pong" ? "ok" : "unreachable";
  return {
    isReady: postgres === "ok" && redis === "ok",
    postgres,
    redis,
    oldestPendingPurgeSeconds: typeof oldest === "string" ? Math.max(0, Math.round(Number(oldest))) : null,
  };
}
