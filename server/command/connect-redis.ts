import { createLogger } from "../platform/logger";
import { createRedisClients, type RedisClients } from "../platform/redis";
import type { parseRedisSettings } from "../settings/env";
import { readRedisAddress } from "../settings/redis-address";

/** Reaches the Redis that checked settings name. A connection is opened by the first call, and `close` must end it. */
export function connectRedis(settings: ReturnType<typeof parseRedisSettings>): RedisClients {
  const { REDIS_URL, UPSTASH_REDIS_REST_URL: url = "", UPSTASH_REDIS_REST_TOKEN: token = "" } = settings;
  const address = REDIS_URL === undefined ? null : readRedisAddress(REDIS_URL);
  return createRedisClients(address ? { address } : { url, token }, createLogger("silent"));
}
