import { Redis } from "@upstash/redis";

/** How long one request to Redis may take. A verification must not wait long for a cache; a purge is worth waiting for. */
const slotMilliseconds = 250;
const purgeMilliseconds = 1_000;

/** The Redis leader, behind Upstash's REST API, with the time budget of each use. */
export interface RedisClients {
  slot: Redis;
  purge: Redis;
  limiter: Redis;
}

export function createRedisClients(options: { url: string; token: string }): RedisClients {
  const create = (budgetMilliseconds: number) =>
    new Redis({
      ...options,
      // It would turn the values "null" and "123" into null and 123, and nobody could tell a count from a text.
      automaticDeserialization: false,
      // Once: `retry: false` still sends a command twice (measured on 1.39), and a retried purge is the outbox's business.
      retry: { retries: 0 },
      // A function, so that a timed-out command rejects: with a signal as an instance it resolves as null (measured).
      signal: () => abortAfter(budgetMilliseconds),
      enableAutoPipelining: false,
      enableTelemetry: false,
    });
  return {
    slot: create(slotMilliseconds),
    purge: create(purgeMilliseconds),
    limiter: create(slotMilliseconds),
  };
}

/**
 * Aborts one turn of the event loop after the time has passed. After a stall, timers run before sockets are read: `AbortSignal.timeout`
 * then discards answers that have already arrived (measured: 230 of 320 with 64 in flight and a stall of 300 ms; so 0).
 */
function abortAfter(milliseconds: number): AbortSignal {
  const controller = new AbortController();
  const abort = () => controller.abort(new DOMException("Redis did not answer in time", "TimeoutError"));
  setTimeout(() => setImmediate(abort), milliseconds).unref();
  return controller.signal;
}
