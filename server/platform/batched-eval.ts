import type { Redis } from "@upstash/redis";

/** Some 60 kB of a script of ours: far below what Upstash takes in one request. */
const largestBatch = 100;

interface Call {
  keys: string[];
  args: string[];
  resolve: (result: unknown) => void;
  reject: (fault: unknown) => void;
}

/**
 * Runs one script for many callers in few HTTP requests. A call goes out at once while no other is under way, else at the end of this
 * turn of the event loop, in one pipeline with the others of the turn; so a lone call never waits, and under load a request carries
 * what has come together in the meantime. Nobody joins a request that was already sent.
 *
 * The calls of a request are independent: each gets its own result or error. When the request itself fails, all reject with one and
 * the same error.
 * @returns what calls the script with its KEYS and ARGV. @throws what the client throws, or the script's error.
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
      // With one too few nobody knows whose is whose, and a tombstone does not say to which key it belongs.
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
    // A pipeline object is made of some 200 closures; a lone call does without.
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
