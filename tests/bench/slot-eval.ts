import type { Redis } from "@upstash/redis";

import { createSlots } from "@/server/slot/slot";
import type { RedisClients } from "@/server/platform/redis";
import { redisPrefix } from "@/tests/support/slots";

/** The one `EVAL` that a verification sends, as the client's method takes it. */
export type EvalRequest = [script: string, keys: string[], args: string[]];

/** What a verification of this hash asks of Redis, caught on its way and not sent: so a bare EVAL is of the same size to the byte. */
export async function captureEval(redis: RedisClients, hash: Buffer): Promise<EvalRequest> {
  let captured: EvalRequest | undefined;
  const evaluate = (...request: EvalRequest) => Promise.resolve(void (captured = request));
  await createSlots({
    redis: { slot: { eval: evaluate } as unknown as Redis, purge: redis.purge },
    prefix: redisPrefix,
  }).read(hash);
  if (!captured) throw new Error("the slot was not read by an EVAL");
  return captured;
}

export function sendEval(redis: Redis, [script, keys, args]: EvalRequest): Promise<unknown> {
  return redis.eval(script, keys, args);
}
