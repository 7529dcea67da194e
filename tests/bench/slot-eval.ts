import { createSlots } from "@/server/slot/slot";
import type { RedisClient, RedisClients, ScriptCall } from "@/server/platform/redis";
import { redisPrefix } from "@/tests/support/slots";

/** The one `EVAL` that a verification sends. */
export type EvalRequest = [script: string, call: ScriptCall];

/** What a verification of this hash asks of Redis, caught on its way and not sent: so a bare EVAL is of the same size to the byte. */
export async function captureEval(redis: RedisClients, hash: Buffer): Promise<EvalRequest> {
  let captured: EvalRequest | undefined;
  const slot: RedisClient = {
    ...redis.slot,
    forManyCallers: (script) => (call) => Promise.resolve(void (captured = [script, call])),
  };
  await createSlots({ redis: { slot, purge: redis.purge }, prefix: redisPrefix }).read(hash);
  if (!captured) throw new Error("the slot was not read by an EVAL");
  return captured;
}
