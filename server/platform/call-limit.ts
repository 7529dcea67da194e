import { Ratelimit } from "@upstash/ratelimit";

import { describeFault, type Logger } from "./logger";
import type { LimiterClient } from "./redis";

export interface CallLimitState {
  isWithin: boolean;
  /** How many calls a minute are allowed. */
  limit: number;
  remaining: number;
  /** Seconds until the current window ends, at least 1. */
  resetSeconds: number;
}

/**
 * Counts one call of `who` against `limit` calls a minute, over a sliding window in Redis.
 * Policy: null when Redis cannot be asked or its answer is not understood. The caller lets the call pass then. A limit guards against waste,
 * and something else checks the right to the call. Refusing would turn an outage of the cache into one of the API. See decision 005.
 */
export type CallLimit = (who: string, limit: number) => Promise<CallLimitState | null>;

interface CallLimitOptions {
  redis: LimiterClient;
  /** Of every Redis key of ours. */
  prefix: string;
  name: string;
  logger: Logger;
}

export function createCallLimit(options: CallLimitOptions): CallLimit {
  // One limiter for each number, since the library's own dynamic limit would apply to all callers.
  const limiters = new Map<number, Ratelimit>();
  const limiterFor = (limit: number) => {
    const limiter = limiters.get(limit) ?? createLimiter(options, limit);
    limiters.set(limit, limiter);
    return limiter;
  };
  return async (who, limit) => {
    try {
      const { success, remaining, reset } = await limiterFor(limit).limit(who);
      const resetSeconds = Math.max(1, Math.ceil((reset - Date.now()) / 1_000));
      return { isWithin: success, limit, remaining: Math.max(0, remaining), resetSeconds };
    } catch (fault) {
      options.logger.warn({ fault: describeFault(fault), limit: options.name }, "rate limit not checked");
      return null;
    }
  };
}

function createLimiter({ redis, prefix, name }: CallLimitOptions, limit: number): Ratelimit {
  return new Ratelimit({
    redis: withUnderstoodAnswers(redis, limit),
    prefix: `${prefix}limit:${name}`,
    limiter: Ratelimit.slidingWindow(limit, "60 s"),
    // The library must not answer from memory, nor let calls pass after its own timeout. The client's time budget decides.
    ephemeralCache: false,
    timeout: 0,
    analytics: false,
  });
}

class UnknownAnswerError extends Error {
  override name = "UnknownAnswerError";
}

type Call = [script: string, keys: string[], args: unknown[]];
const unused = () => Promise.reject(new Error("no limit is kept in Redis"));

/**
 * What the library calls, with checked answers. The library compares any answer with 0. Of the text "OK", or of an empty list, it would say
 * that the limit is exceeded.
 */
function withUnderstoodAnswers(redis: LimiterClient, limit: number) {
  const checked = async <Answer>(answer: Promise<unknown>) => understood(await answer, limit) as Answer;
  return {
    get: unused,
    set: unused,
    evalsha: <Answer>(...call: Call) => checked<Answer>(redis.evalsha(...call)),
    // The library calls this when the server does not know the script yet. Its type does not say so.
    eval: <Answer>(...call: Call) => checked<Answer>(redis.eval(...call)),
  };
}

/** Checks the script's answer: what remains, or -1 over the limit, and the limit that the script was given. */
function understood(answer: unknown, limit: number): unknown[] {
  const numbers: unknown[] = Array.isArray(answer) ? answer : [];
  const [remaining, effectiveLimit, ...others] = numbers;
  const isCount = Number.isInteger(remaining) && Number(remaining) >= -1 && Number(remaining) < limit;
  if (!isCount || effectiveLimit !== limit || others.length > 0) throw new UnknownAnswerError("no count");
  return numbers;
}
