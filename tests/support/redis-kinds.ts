/** What stands behind Upstash's REST API. */
type RestKind = "redis-server" | "embedded";
/** `tcp` is the same redis-server by its own protocol. */
export type RedisKind = RestKind | "tcp";

/**
 * `npm test` leaves the real server out, and says so, where there is none and it may not install one; any other run without it fails.
 */
export const restKinds: readonly RestKind[] = process.env.LATCHKEY_NO_REDIS_SERVER
  ? ["embedded"]
  : ["redis-server", "embedded"];

/** What every test of Redis's behaviour runs against. */
export const redisKinds: readonly RedisKind[] = restKinds.includes("redis-server") ? [...restKinds, "tcp"] : restKinds;

/** One for each way to a Redis, for long tests of what a process does. The embedded engine answers as the server does: its differential fuzz. */
export const redisWays: readonly RedisKind[] = redisKinds.includes("tcp") ? ["redis-server", "tcp"] : ["embedded"];
