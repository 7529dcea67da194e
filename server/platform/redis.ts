import { Redis } from "@upstash/redis";

/** How long one request to Redis may take. A verification must not wait long for a cache. A purge is worth waiting for. */
const slotMilliseconds = 250;
const purgeMilliseconds = 1_000;

/** Clients of the Redis leader, behind Upstash's REST API. They differ in their time budget. */
export interface RedisClients {
  slot: Redis;
  purge: Redis;
  limiter: Redis;
}

export function createRedisClients(options: { url: string; token: string }): RedisClients {
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
  return {
    slot: create(slotMilliseconds),
    purge: create(purgeMilliseconds),
    limiter: create(slotMilliseconds),
  };
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
