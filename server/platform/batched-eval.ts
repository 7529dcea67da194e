import type { Redis } from "@upstash/redis";

/** About 60 kB with a script of ours. Upstash takes far more in one request. */
const largestBatch = 100;

interface Call {
  keys: string[];
  args: string[];
  resolve: (result: unknown) => void;
  reject: (fault: unknown) => void;
}

/**
 * Runs one script for many callers in few HTTP requests. While no request is under way, a call is sent at once. Otherwise it is sent at the end
 * of this turn of the event loop, in one pipeline with the other calls of the turn. So a lone call never waits, and under load one request
 * carries many calls. No call joins a request that was already sent.
 *
 * Each call of a request gets its own result or error. When the request itself fails, all of its calls reject with the same error.
 * @returns a function that runs the script with KEYS and ARGV. It rejects with what the client throws, or with the script's error.
 */
export function createBatchedEval(redis: Redis, script: string) {
  let waiting: Call[] = [];
  let requestsUnderWay = 0;

  async function send() {
    const calls = waiting;
    waiting = [];
    if (calls.length === 0) return;
    requestsUnderWay++;
    try {
      const outcomes = await evaluate(calls);
      // With another number nobody knows which result belongs to which call, and a tombstone does not name its key.
      if (outcomes.length !== calls.length)
        throw new Error("Redis answered another number of results than were asked for");
      calls.forEach(({ resolve, reject }, at) => {
        const { error, result } = outcomes[at] ?? {};
        if (error === undefined) resolve(result);
        else reject(new Error(error));
      });
    } catch (fault) {
      for (const { reject } of calls) reject(fault);
    } finally {
      requestsUnderWay--;
    }
  }

  async function evaluate(calls: readonly Call[]): Promise<{ result?: unknown; error?: string }[]> {
    const [first] = calls;
    // A pipeline object costs about 200 closures. A lone call does not need one.
    if (calls.length === 1 && first) return [{ result: await redis.eval(script, first.keys, first.args) }];
    const pipeline = redis.pipeline();
    for (const { keys, args } of calls) pipeline.eval(script, keys, args);
    return pipeline.exec({ keepErrors: true });
  }

  return (keys: string[], args: string[]) =>
    new Promise<unknown>((resolve, reject) => {
      waiting.push({ keys, args, resolve, reject });
      if (requestsUnderWay === 0 || waiting.length === largestBatch) void send();
      else if (waiting.length === 1) setImmediate(() => void send());
    });
}
