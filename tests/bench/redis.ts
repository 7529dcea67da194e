import { Redis } from "@upstash/redis";

import { type Services, settingOf } from "./services";

/** The client of `server/redis/client.ts`, setting by setting, but that automatic pipelining and the time budget can be chosen. */
export function createRedis(
  services: Services,
  { isPipelining, budgetMilliseconds }: { isPipelining: boolean; budgetMilliseconds: number },
): Redis {
  return new Redis({
    url: settingOf(services, "UPSTASH_REDIS_REST_URL"),
    token: settingOf(services, "UPSTASH_REDIS_REST_TOKEN"),
    automaticDeserialization: false,
    retry: { retries: 0 },
    signal: () => AbortSignal.timeout(budgetMilliseconds),
    enableAutoPipelining: isPipelining,
    enableTelemetry: false,
  });
}
