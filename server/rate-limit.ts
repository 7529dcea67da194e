import { Ratelimit } from "@upstash/ratelimit";
import type { Redis } from "@upstash/redis";

import { describeFault, type Logger } from "./logger";

/** Answers whether one more call of `who` is within the limit. */
export type RateLimit = (who: string) => Promise<boolean>;

/**
 * At most `calls` a minute for each caller, counted in Redis over a sliding window.
 * Policy: a limiter that cannot be asked lets the call pass. It guards against waste; what it guards checks ownership itself.
 */
export function createRateLimit(options: {
  redis: Redis;
  name: string;
  callsPerMinute: number;
  logger: Logger;
}): RateLimit {
  const limiter = new Ratelimit({
    redis: options.redis,
    prefix: `limit:${options.name}`,
    limiter: Ratelimit.slidingWindow(options.callsPerMinute, "60 s"),
    // No answer from memory, and no silent yes after the library's own 5 s: the client's time budget decides.
    ephemeralCache: false,
    timeout: 0,
    analytics: false,
  });
  return async (who) => {
    try {
      return (await limiter.limit(who)).success;
    } catch (fault) {
      options.logger.warn({ fault: describeFault(fault), limit: options.name }, "rate limit not checked");
      return true;
    }
  };
}
