import { Redis } from "@upstash/redis";

import { type Services, settingOf } from "./services";

/** As `server/platform/redis.ts` makes it for purges, but with the client's automatic pipelining, its default, left on. */
export function createPipeliningRedis(services: Services): Redis {
  return new Redis({
    url: settingOf(services, "UPSTASH_REDIS_REST_URL"),
    token: settingOf(services, "UPSTASH_REDIS_REST_TOKEN"),
    automaticDeserialization: false,
    retry: { retries: 0 },
    signal: () => AbortSignal.timeout(1_000),
    enableTelemetry: false,
  });
}
