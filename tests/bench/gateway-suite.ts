import { buildAppCopy, emptyRoutes } from "./app-copy";
import { compare, type Comparison, type Effort, type Goal, type Side } from "./compare";
import { openHttpLoad } from "./http-load";
import { captureEval } from "./slot-eval";
import { type BenchKey, insertKeys, openStage, warmSlots } from "./stage";
import type { Suite } from "./suite";

const connectionCounts = [1, 32, 128];
/** A limit that is consulted and never reached. */
const amplePerMinute = 1_000_000_000;
/** A server of some hundred requests a second needs longer blocks for a p99 that says anything. */
const blocksLonger = 2;
const goals: Goal[] = [
  { metric: "requestsPerSecond", atLeast: 0.9 },
  { metric: "p99", atMost: 1.2 },
];

/** `GET /api/v1/whoami` on a production server beside a handler that does one bare EVAL, with pipelining off and on, and rate limits. */
export const measureGateway: Suite = async ({ services, effort, isQuick }) => {
  const stage = openStage(services);
  try {
    const [unlimited] = await insertKeys(stage, 1);
    const [limited] = await insertKeys(stage, 1, amplePerMinute);
    if (!unlimited || !limited) throw new Error("no keys");
    await warmSlots(stage, [unlimited, limited]);
    const evalRequest = await captureEval(stage.context.redis, unlimited.hash);
    const copy = await buildAppCopy(services);
    try {
      const comparisons: Comparison[] = [];
      for (const isPipelining of [false, true]) {
        const app = await copy.start({ evalRequest, isPipelining });
        const pipelining = isPipelining ? "pipelining on" : "pipelining off";
        try {
          for (const connections of isQuick ? [32] : connectionCounts)
            comparisons.push(...(await compareRoutes(app.origin, connections, pipelining, effort, unlimited, limited)));
        } finally {
          await app.stop();
        }
      }
      return { comparisons, notes: [] };
    } finally {
      await copy.remove();
    }
  } finally {
    await stage.close();
  }
};

async function compareRoutes(
  origin: string,
  connections: number,
  pipelining: string,
  effort: Effort,
  unlimited: BenchKey,
  limited: BenchKey,
): Promise<Comparison[]> {
  const load = openHttpLoad(origin, connections, blocksLonger * effort.blockMilliseconds);
  const side = (name: string, path: string, secret: string): Side => ({
    name,
    run: () => load.run(path, { authorization: `Bearer ${secret}` }),
  });
  const many = connections === 1 ? "1 connection" : `${connections} connections`;
  const empty = side("a handler with one bare EVAL", emptyRoutes.withoutBody, unlimited.secret);
  const sameBody = side("a handler with one bare EVAL and as long an answer", emptyRoutes.withBody, unlimited.secret);
  const whoami = side("GET /api/v1/whoami", "/api/v1/whoami", unlimited.secret);
  const whoamiLimited = side("GET /api/v1/whoami, owner with a rate limit", "/api/v1/whoami", limited.secret);
  try {
    const comparisons = [await compare(`Gateway, ${many}, ${pipelining}`, empty, whoami, effort, goals)];
    if (connections === 32)
      comparisons.push(
        await compare(`Gateway, the same answer, ${many}, ${pipelining}`, sameBody, whoami, effort),
        await compare(`Rate limit, ${many}, ${pipelining}`, whoami, whoamiLimited, effort),
      );
    return comparisons;
  } finally {
    await load.close();
  }
}
