import { buildAppCopy, emptyRoutes } from "./app-copy";
import { compare, type Comparison, type Effort, type Goal, type Side } from "./compare";
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

/** `GET /api/v1/whoami` on a production server, beside a handler that does one bare EVAL, with a rate limit, and with pipelining the other way. */
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
      const app = await copy.start({ evalRequest, isPipeliningFlipped: false });
      const flipped = await copy.start({ evalRequest, isPipeliningFlipped: true });
      try {
        const comparisons: Comparison[] = [];
        for (const connections of isQuick ? [32] : connectionCounts)
          comparisons.push(
            ...(await compareRoutes(app.origin, flipped.origin, connections, effort, unlimited, limited)),
          );
        return { comparisons, notes: [] };
      } finally {
        await app.stop();
        await flipped.stop();
      }
    } finally {
      await copy.remove();
    }
  } finally {
    await stage.close();
  }
};

async function compareRoutes(
  origin: string,
  flippedOrigin: string,
  connections: number,
  effort: Effort,
  unlimited: BenchKey,
  limited: BenchKey,
): Promise<Comparison[]> {
  const load = openHttpLoad(origin, connections, blocksLonger * effort.blockMilliseconds);
  const flippedLoad = openHttpLoad(flippedOrigin, connections, blocksLonger * effort.blockMilliseconds);
  const side = (name: string, path: string, { secret }: BenchKey, through = load): Side => ({
    name,
    run: () => through.run(path, { authorization: `Bearer ${secret}` }),
  });
  const many = connections === 1 ? "1 connection" : `${connections} connections`;
  const empty = side("a handler with one bare EVAL", emptyRoutes.withoutBody, unlimited);
  const sameAnswer = side("a handler with one bare EVAL and as long an answer", emptyRoutes.withBody, unlimited);
  const whoami = side("GET /api/v1/whoami", whoamiPath, unlimited);
  const whoamiLimited = side("GET /api/v1/whoami, owner with a rate limit", whoamiPath, limited);
  const whoamiFlipped = side(
    "GET /api/v1/whoami, automatic pipelining the other way",
    whoamiPath,
    unlimited,
    flippedLoad,
  );
  try {
    const comparisons = [
      await compare(`Gateway, ${many}`, empty, whoami, effort, goals),
      await compare(`Automatic pipelining, ${many}`, whoami, whoamiFlipped, effort),
    ];
    if (connections === 32)
      comparisons.push(
        await compare(`Gateway beside the same answer, ${many}`, sameAnswer, whoami, effort),
        await compare(`Rate limit, ${many}`, whoami, whoamiLimited, effort),
      );
    return comparisons;
  } finally {
    await load.close();
    await flippedLoad.close();
  }
}
