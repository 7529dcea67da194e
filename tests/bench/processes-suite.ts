import pg from "pg";

import { type Balancer, startBalancer } from "./balancer";
import { type Block, runBlock } from "./block";
import { compare, type Comparison, type Effort, type Side } from "./compare";
import { type HttpLoad, openHttpLoad } from "./http-load";
import { whoamiPath } from "./key-traffic";
import { readCpuMilliseconds, readParent } from "./process-cpu";
import { buildForProduction, type ProductionBuild, type ProductionServer, redisByTcp } from "./production-build";
import { describeRedisWork, readRedisWork, workBetween } from "./redis-work";
import { table } from "./report";
import { type Services, settingOf } from "./services";
import { type BenchKey, insertKeys, openStage, rotating, type Stage, verify, warmSlots } from "./stage";
import type { Suite } from "./suite";

const counts = [1, 2, 4];
const keyCount = 64;
const connections = 64;
/** As in the gateway's suite. */
const blocksLonger = 2;
const ways = ["REST", "TCP"] as const;
type Way = (typeof ways)[number];

/** Where work is done for a verification, and how much of the processor it has taken, in milliseconds. */
type Cpu = Record<"app" | "nginx" | "postgres", number>;

interface Cost {
  verifications: number;
  failures: number;
  cpu: Cpu;
  redis: ReturnType<typeof workBetween>;
  transactions: number;
}

/**
 * One, two and four production servers behind one balancer, with one Redis and one Postgres: requests a second and latencies side by side, and
 * what one verification costs each part.
 */
export const measureProcesses: Suite = async ({ services, effort, isQuick }) => {
  const stage = openStage(services);
  const stretchMilliseconds = isQuick ? 1_500 : 8_000;
  try {
    const keys = await insertKeys(stage, keyCount);
    await warmSlots(stage, keys);
    const build = await buildForProduction(services);
    const comparisons: Comparison[] = [];
    const notes: string[] = [];
    try {
      for (const way of ways) {
        const found = await measureWay({ services, stage, keys, build, way, effort, stretchMilliseconds });
        comparisons.push(...found.comparisons);
        notes.push(...found.notes);
      }
    } finally {
      await build.remove();
    }
    for (const way of ways) notes.push(...(await measureCeiling(services, keys, way, stretchMilliseconds)));
    return { comparisons, notes };
  } finally {
    await stage.close();
  }
};

interface WayOptions {
  services: Services;
  stage: Stage;
  keys: readonly BenchKey[];
  build: ProductionBuild;
  way: Way;
  effort: Effort;
  stretchMilliseconds: number;
}

async function measureWay(options: WayOptions) {
  const { services, stage, keys, build, way, effort, stretchMilliseconds } = options;
  const servers: ProductionServer[] = [];
  let balancer: Balancer | undefined;
  const loads: HttpLoad[] = [];
  const postgres = new pg.Client({ connectionString: settingOf(services, "DATABASE_URL") });
  try {
    await postgres.connect();
    while (servers.length < Math.max(...counts))
      servers.push(await build.start(way === "TCP" ? redisByTcp(services) : {}));
    balancer = await startBalancer(counts.map((count) => servers.slice(0, count).map(({ port }) => port)));
    const { pid, origins } = balancer;
    const pids = { app: servers.map((server) => server.pid), nginx: [pid], postgres: await postmasterOf(postgres) };
    let sent = 0;
    const nextHeaders = () => ({ authorization: `Bearer ${keys[sent++ % keys.length]?.secret ?? ""}` });
    const side = (at: number, milliseconds: number): Side => {
      const load = openHttpLoad(origins[at] ?? "", connections, milliseconds);
      loads.push(load);
      return { name: nameOf(counts[at] ?? 0), run: () => load.run(whoamiPath, nextHeaders) };
    };
    const [one, two, four] = counts.map((_, at) => side(at, blocksLonger * effort.blockMilliseconds)) as [
      Side,
      Side,
      Side,
    ];
    // Each process compiles its own code: without this, the more there are the colder they were.
    await side(counts.length - 1, stretchMilliseconds).run();
    const comparisons = [
      await compare(`Two processes beside one, ${way}, ${connections} connections`, one, two, effort),
      await compare(`Four processes beside one, ${way}, ${connections} connections`, one, four, effort),
    ];
    const costs: Cost[] = [];
    for (const at of counts.keys())
      costs.push(await costOf(side(at, stretchMilliseconds), { redis: stage.redis, postgres, pids, sent: () => sent }));
    const idle = await transactionsOf(postgres, () => new Promise((wake) => setTimeout(wake, stretchMilliseconds)));
    const idlePerSecond = (idle * 1_000) / stretchMilliseconds;
    return { comparisons, notes: describeCosts(way, costs, idlePerSecond) };
  } finally {
    await Promise.all(loads.map((load) => load.close()));
    await balancer?.stop();
    await Promise.all(servers.map((server) => server.stop()));
    await postgres.end();
  }
}

const nameOf = (count: number) => (count === 1 ? "1 process" : `${count} processes`);

/** Postgres's first process: what it has started is counted with it. */
async function postmasterOf(postgres: pg.Client): Promise<number[]> {
  const { rows } = await postgres.query<{ pid: number }>("select pg_backend_pid() as pid");
  const parent = await readParent(rows[0]?.pid ?? 0);
  return parent === null ? [] : [parent];
}

async function transactionsOf(postgres: pg.Client, work: () => Promise<unknown>): Promise<number> {
  const count = async () => {
    const { rows } = await postgres.query<{ count: string }>(
      "select xact_commit + xact_rollback as count from pg_stat_database where datname = current_database()",
    );
    return Number(rows[0]?.count);
  };
  const before = await count();
  await work();
  return (await count()) - before;
}

interface Places {
  redis: Stage["redis"];
  postgres: pg.Client;
  pids: Record<keyof Cpu, readonly number[]>;
  /** How many requests have been sent so far. */
  sent: () => number;
}

async function costOf(side: Side, { redis, postgres, pids, sent }: Places): Promise<Cost> {
  const readCpu = async (): Promise<Cpu> => {
    const sum = async (of: readonly number[]) =>
      (await Promise.all(of.map(readCpuMilliseconds))).reduce<number>((total, one) => total + (one ?? NaN), 0);
    return { app: await sum(pids.app), nginx: await sum(pids.nginx), postgres: await sum(pids.postgres) };
  };
  const sentBefore = sent();
  const [cpuBefore, redisBefore] = [await readCpu(), await readRedisWork(redis)];
  let block: Block | undefined;
  const transactions = await transactionsOf(postgres, async () => (block = await side.run()));
  const [cpuAfter, redisAfter] = [await readCpu(), await readRedisWork(redis)];
  if (!block) throw new Error("no load was made");
  return {
    verifications: sent() - sentBefore - block.failures,
    failures: block.failures,
    cpu: {
      app: cpuAfter.app - cpuBefore.app,
      nginx: cpuAfter.nginx - cpuBefore.nginx,
      postgres: cpuAfter.postgres - cpuBefore.postgres,
    },
    redis: workBetween(redisBefore, redisAfter),
    transactions,
  };
}

function describeCosts(way: Way, costs: readonly Cost[], idlePerSecond: number): string[] {
  const rows = costs.map(({ verifications, failures, cpu, redis, transactions }, at) => {
    const micro = (milliseconds: number) => ((milliseconds * 1_000) / verifications).toFixed(0);
    return [
      nameOf(counts[at] ?? 0),
      String(verifications),
      String(failures),
      micro(cpu.app),
      micro(cpu.nginx),
      (redis.cpuMicroseconds / verifications).toFixed(1),
      micro(cpu.postgres),
      (transactions / verifications).toFixed(4),
    ];
  });
  const head = ["", "verifications", "failures", "app µs", "nginx µs", "Redis µs", "Postgres µs", "transactions"];
  return [
    `Processor time for one verification by ${way}, in a stretch of its own, and Postgres's transactions:\n\n${table(head, rows)}\n`,
    ...costs.map(
      ({ redis, verifications }, at) =>
        `${nameOf(counts[at] ?? 0)} by ${way}, Redis for one verification: ${describeRedisWork(redis, verifications)}.`,
    ),
    `The ${Math.max(...counts)} processes by ${way} without a request: ${idlePerSecond.toFixed(1)} transactions a second (Postgres tells them up to 1 s late).`,
  ];
}

/** Without HTTP: what this process alone gets out of one Redis, and what Redis takes for it. */
async function measureCeiling(
  services: Services,
  keys: readonly BenchKey[],
  way: Way,
  milliseconds: number,
): Promise<string[]> {
  const stage = openStage(services, undefined, way);
  try {
    const notes: string[] = [];
    const next = rotating(keys, ({ secret }) => verify(stage.context, secret));
    for (const inFlight of [1, 64]) {
      await runBlock(next, { inFlight, milliseconds: milliseconds / 4 });
      const before = await readRedisWork(stage.redis);
      let done = 0;
      const counted = () => next().then(() => done++);
      const block = await runBlock(counted, { inFlight, milliseconds: milliseconds / 2 });
      const work = workBetween(before, await readRedisWork(stage.redis));
      notes.push(
        `In process by ${way}, ${inFlight} in flight: ${block.requestsPerSecond.toFixed(0)} verifications a second, p50 ${block.p50.toFixed(3)} ms, p99 ${block.p99.toFixed(3)} ms, ${block.failures} failed. For one of them: ${describeRedisWork(work, done)}.`,
      );
    }
    return notes;
  } finally {
    await stage.close();
  }
}
