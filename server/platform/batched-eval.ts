import type { RedisClient, ScriptCall, ScriptOutcome } from "./redis";

/** About 60 kB with a script of ours. Upstash takes far more in one request. */
const largestBatch = 100;

interface Call extends ScriptCall {
  resolve: (result: unknown) => void;
  reject: (fault: unknown) => void;
}

/**
 * Runs one script for many callers in few HTTP requests. While no request is under way, a call is sent at once. Otherwise it is sent at the end
 * of this turn of the event loop, in one pipeline with the other calls of the turn. So a lone call never waits, and under load one request
 * carries many calls. No call joins a request that was already sent.
 *
 * Each call of a request gets its own result or error. When the request itself fails, all of its calls reject with the same error.
 * @returns a function that runs the script. It rejects with what the client throws, or with the script's error.
 */
export function createBatchedEval(redis: Pick<RedisClient, "evaluate" | "evaluateEach">, script: string) {
  let waiting: Call[] = [];
  let requestsUnderWay = 0;

  async function send() {
    const calls = waiting;
    waiting = [];
    if (calls.length === 0) return;
    requestsUnderWay++;
    try {
      const outcomes = await evaluate(calls);
      calls.forEach(({ resolve, reject }, at) => {
        const outcome = outcomes[at] ?? { error: "no answer" };
        if ("error" in outcome) reject(new Error(outcome.error));
        else resolve(outcome.result);
      });
    } catch (fault) {
      for (const { reject } of calls) reject(fault);
    } finally {
      requestsUnderWay--;
    }
  }

  async function evaluate(calls: readonly Call[]): Promise<ScriptOutcome[]> {
    const [first] = calls;
    // A pipeline object costs about 200 closures. A lone call does not need one.
    if (calls.length === 1 && first) return [{ result: await redis.evaluate(script, first) }];
    return redis.evaluateEach(script, calls);
  }

  return (call: ScriptCall) =>
    new Promise<unknown>((resolve, reject) => {
      waiting.push({ ...call, resolve, reject });
      if (requestsUnderWay === 0 || waiting.length === largestBatch) void send();
      else if (waiting.length === 1) setImmediate(() => void send());
    });
}
