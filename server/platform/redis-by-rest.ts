import { Redis } from "@upstash/redis";

import { createBatchedEval } from "./batched-eval";
import type { RedisBudgets, RedisClient, RedisClients, ScriptOutcome } from "./redis";

/** Clients of the Redis leader, behind Upstash's REST API. */
export function createRestClients(options: { url: string; token: string }, budgets: RedisBudgets): RedisClients {
  const create = (budgetMilliseconds: number) =>
    new Redis({
      ...options,
      // Deserialization would turn the values "null" and "123" into null and 123. Nobody could then tell a count from a text.
      automaticDeserialization: false,
      // Sends a command once. `retry: false` would send it twice (measured on 1.39). The outbox repeats a purge, not the client.
      retry: { retries: 0 },
      // With a function a timed-out command rejects. With a signal as an instance it would resolve as null (measured).
      signal: () => abortAfter(budgetMilliseconds),
      enableAutoPipelining: false,
      enableTelemetry: false,
    });
  const limiter = create(budgets.slotMilliseconds);
  return {
    slot: toRedisClient(create(budgets.slotMilliseconds)),
    purge: toRedisClient(create(budgets.purgeMilliseconds)),
    limiter: {
      evalsha: (sha, keys, args) => limiter.evalsha(sha, keys, args),
      eval: (script, keys, args) => limiter.eval(script, keys, args),
    },
    // Each request is one of its own.
    close: () => undefined,
  };
}

function toRedisClient(redis: Redis): RedisClient {
  const client: RedisClient = {
    evaluate: (script, { keys, args }) => redis.eval(script, keys, args),
    async evaluateEach(script, calls) {
      const pipeline = redis.pipeline();
      for (const { keys, args } of calls) pipeline.eval(script, keys, args);
      const outcomes: { result?: unknown; error?: string }[] = await pipeline.exec({ keepErrors: true });
      // With another number nobody knows which result belongs to which call, and a tombstone does not name its key.
      if (!Array.isArray(outcomes) || outcomes.length !== calls.length)
        throw new Error("Redis answered another number of results than were asked for");
      return outcomes.map(({ result, error }): ScriptOutcome => (error === undefined ? { result } : { error }));
    },
    // Few HTTP requests for many calls.
    forManyCallers: (script) => createBatchedEval(client, script),
    info: async (section) => String(await redis.exec<unknown>(["INFO", section])),
  };
  return client;
}

/**
 * Aborts one turn of the event loop after the time has passed. When the process was blocked, timers run before sockets are read. So
 * `AbortSignal.timeout` discards answers that have arrived already (measured with 64 in flight and a stall of 300 ms: 230 of 320; with this
 * function 0).
 */
function abortAfter(milliseconds: number): AbortSignal {
  const controller = new AbortController();
  const abort = () => controller.abort(new DOMException("Redis did not answer in time", "TimeoutError"));
  setTimeout(() => setImmediate(abort), milliseconds).unref();
  return controller.signal;
}
