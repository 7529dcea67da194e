import { compare, type Comparison, type Effort, type Goal, type Side } from "./compare";
import { emptyRoutes, serveWithEmptyRoutes } from "./empty-routes";
import { openHttpLoad } from "./http-load";
import { captureEval } from "./slot-eval";
import { type BenchKey, insertKeys, openStage, warmSlots } from "./stage";
import type { Suite } from "./suite";

const whoamiPath = "/api/v1/whoami";
const connectionCounts = [1, 32, 128];
/** A limit that is consulted and never reached. */
const amplePerMinute = 1_000_000_000;
/** A server of some hundred requests a second needs longer blocks for a p99 that says anything. */
const blocksLonger = 2;
const goals: Goal[] = [
  { metric: "requestsPerSecond", atLeast: 0.9 },
  { metric: "p99", atMost: 1.2 },
];

/** `GET /api/v1/whoami` on a production server, beside handlers that do one EVAL and nothing else, and with a rate limit. */
export const measureGateway: Suite = async ({ services, effort, isQuick }) => {
  const stage = openStage(services);
  try {
    const [unlimited] = await insertKeys(stage, 1);
    const [limited] = await insertKeys(stage, 1, amplePerMinute);
    if (!unlimited || !limited) throw new Error("no keys");
    await warmSlots(stage, [unlimited, limited]);
    const evalRequest = await captureEval(stage.context.redis, unlimited.hash);
    const app = await serveWithEmptyRoutes(services, evalRequest);
    try {
      const comparisons: Comparison[] = [];
      for (const connections of isQuick ? [32] : connectionCounts)
        comparisons.push(...(await compareRoutes(app.origin, connections, effort, unlimited, limited)));
      return { comparisons, notes: [] };
    } finally {
      await app.stop();
    }
  } finally {
    await stage.close();
  }
};

async function compareRoutes(
  origin: string,
  connections: number,
  effort: Effort,
  unlimited: BenchKey,
  limited: BenchKey,
): Promise<Comparison[]> {
  const load = openHttpLoad(origin, connections, blocksLonger * effort.blockMilliseconds);
  const side = (name: string, path: string, { secret }: BenchKey): Side => ({
    name,
    run: () => load.run(path, { authorization: `Bearer ${secret}` }),
  });
  const many = connections === 1 ? "1 connection" : `${connections} connections`;
  const bare = side("a handler with one bare EVAL", emptyRoutes.bare.path, unlimited);
  const batched = side("a handler with one EVAL, batched as the app does", emptyRoutes.batched.path, unlimited);
  const sameAnswer = side("the same, with as long an answer", emptyRoutes.sameAnswer.path, unlimited);
  const whoami = side("GET /api/v1/whoami", whoamiPath, unlimited);
  const whoamiLimited = side("GET /api/v1/whoami, owner with a rate limit", whoamiPath, limited);
  try {
    return [
      await compare(`Gateway, ${many}`, bare, whoami, effort, goals),
      await compare(`Gateway beside batched EVALs, ${many}`, batched, whoami, effort),
      await compare(`Gateway beside the same answer, ${many}`, sameAnswer, whoami, effort),
      ...(connections === 32 ? [await compare(`Rate limit, ${many}`, whoami, whoamiLimited, effort)] : []),
    ];
  } finally {
    await load.close();
  }
}
