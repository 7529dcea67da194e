import { Redis } from "ioredis";

import type { Backend } from "@/local/redis/reply";

import { runBlock } from "./block";
import { compare, type Side } from "./compare";
import { createPipeliningRedis } from "./redis";
import { captureEval, type EvalRequest } from "./slot-eval";
import { insertKeys, openStage, rotating, verify, warmSlots } from "./stage";
import type { Suite } from "./suite";

const keyCount = 64;
const manyInFlight = 64;

/** A verification that hits, in this process, beside the bare EVAL it consists of, with and without pipelining; and raw Redis as the floor. */
export const measureHits: Suite = async ({ services, effort }) => {
  const stage = openStage(services);
  const byTcp = openStage(services, undefined, "TCP");
  const bareTcp = new Redis({ host: "127.0.0.1", port: services.redisPort, protocol: 2 });
  try {
    const { context } = stage;
    const keys = await insertKeys(stage, keyCount);
    await warmSlots(stage, keys);
    const requests: EvalRequest[] = [];
    for (const { hash } of keys) requests.push(await captureEval(context.redis, hash));

    const side = (name: string, inFlight: number, operation: () => Promise<unknown>): Side => ({
      name,
      run: () => runBlock(operation, { inFlight, milliseconds: effort.blockMilliseconds }),
    });
    const raw = rotating(requests, (request) => evalRaw(stage.redis, request));
    const bare = rotating(requests, (request) => context.redis.slot.evaluate(...request));
    const hit = rotating(keys, ({ secret }) => verify(context, secret));
    const [script = ""] = requests.map(([text]) => text);
    const sha = String(await bareTcp.script("LOAD", script));
    const bareByTcp = rotating(requests, ([, { keys, args }]) => bareTcp.evalsha(sha, keys.length, ...keys, ...args));
    const hitByTcp = rotating(keys, ({ secret }) => verify(byTcp.context, secret));
    const pipelining = createPipeliningRedis(services);
    const barePipelined = rotating(requests, ([script, { keys, args }]) => pipelining.eval(script, keys, args));

    const comparisons = [
      await compare(
        "Hit, 1 in flight",
        side("one bare EVAL through @upstash/redis", 1, bare),
        side("verifyApiKey, a hit", 1, hit),
        // A difference of a few percent: told apart from the machine's noise by more rounds.
        { ...effort, rounds: 3 * effort.rounds },
        [{ metric: "p50", atMost: 1.1 }],
      ),
      await compare(
        "The floor, 1 in flight",
        side("the same EVAL over Redis's own protocol", 1, raw),
        side("one bare EVAL through @upstash/redis", 1, bare),
        effort,
      ),
      await compare(
        `Hit, ${manyInFlight} in flight`,
        side("one bare EVAL through @upstash/redis", manyInFlight, bare),
        side("verifyApiKey, a hit", manyInFlight, hit),
        effort,
      ),
      await compare(
        "Hit by TCP, 1 in flight",
        side("one bare EVALSHA through ioredis", 1, bareByTcp),
        side("verifyApiKey, a hit", 1, hitByTcp),
        { ...effort, rounds: 3 * effort.rounds },
        [{ metric: "p50", atMost: 1.35 }],
      ),
      await compare(
        `Hit by TCP, ${manyInFlight} in flight`,
        side("one bare EVALSHA through ioredis", manyInFlight, bareByTcp),
        side("verifyApiKey, a hit", manyInFlight, hitByTcp),
        effort,
      ),
      await compare(
        `Hit by TCP beside one by REST, ${manyInFlight} in flight`,
        side("by REST", manyInFlight, hit),
        side("by TCP", manyInFlight, hitByTcp),
        effort,
      ),
      await compare(
        `Hit beside the client's automatic pipelining, ${manyInFlight} in flight`,
        side("one bare EVAL, automatic pipelining", manyInFlight, barePipelined),
        side("verifyApiKey, a hit", manyInFlight, hit),
        effort,
      ),
    ];
    return { comparisons, notes: [] };
  } finally {
    bareTcp.disconnect();
    await byTcp.close();
    await stage.close();
  }
};

function evalRaw(redis: Backend, [script, { keys, args }]: EvalRequest): Promise<unknown> {
  return redis.pipeline([["EVAL", script, String(keys.length), ...keys, ...args]]);
}
