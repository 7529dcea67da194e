import { availableParallelism, totalmem } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { createKeyLives, createKeyTraffic } from "./key-traffic";
import { buildForProduction, redisByTcp } from "./production-build";
import { table } from "./report";
import { startServices } from "./services";
import { type Slope, slopeOf } from "./statistics";
import { openStage } from "./stage";
import { openRequests, startSteadyLoad } from "./steady-load";

// `npm run bench:memory -- [--minutes 60] [--rate 400] [--tcp]`: what one production process holds under an even load. It tells, and exits with 0.
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    rate: { type: "string", default: "400" },
    tcp: { type: "boolean", default: false },
  },
});
const minutes = Number(values.minutes);
const rate = Number(values.rate);
if (!(minutes > 0) || !(rate > 0)) throw new Error("usage: --minutes N --rate requests-a-second [--tcp]");

const connections = 32;
const livesPerSecond = 1;
const rowsShown = 12;
/** Before each sample the load rests: what a request holds, and its time budgets, would scatter the samples. */
const restMilliseconds = 1_500;
const readingsOfASample = 3;
/** A growth that the samples cannot tell from none must be below this, to be called none. */
const toleratedPerHour = 5;
/** Short runs look more often, so that there are points enough for a slope. */
const sampleMilliseconds = Math.min(30_000, (minutes * 60_000) / 24);
/** What the process remembers at most of unknown hashes, and of addresses with unknown keys (server/keys/unknown-hashes.ts, server/platform/call-window.ts). */
const remembered = 10_000;
const mebibyte = 2 ** 20;

/** What is live: the heap after everything that nobody holds was collected. */
const memoryRoute = `
export async function GET(): Promise<Response> {
  if (!globalThis.gc) return new Response("started without --expose-gc", { status: 500 });
  for (let pass = 0; pass < 2; pass++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return Response.json(process.memoryUsage());
}
`;
const memoryPath = "/api/bench/memory";

interface Sample {
  minute: number;
  rss: number;
  heapUsed: number;
  external: number;
  answered: number;
}

const services = await startServices();
const stage = openStage(services);
try {
  const build = await buildForProduction(services, { [`app${memoryPath}/route.ts`]: memoryRoute });
  try {
    const server = await build.start({
      ...(values.tcp && redisByTcp(services)),
      NODE_OPTIONS: "--expose-gc",
      TRUSTED_PROXY_HOPS: "1",
    });
    console.log(
      `${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}; ${new Date().toISOString()}; process ${server.pid}, ${rate} requests/s for ${minutes} minutes, Redis by ${values.tcp ? "TCP" : "REST"}.\n`,
    );
    await load(server.origin).finally(() => server.stop());
  } finally {
    await build.remove();
  }
} finally {
  await stage.close();
  await services.stop();
}

async function load(origin: string): Promise<void> {
  const requests = openRequests(origin, connections);
  const traffic = await createKeyTraffic(stage, requests.send);
  const live = await createKeyLives(services, requests.send);
  const lives = { ended: 0, failed: 0, fault: "" };
  const noteLife = (fault?: unknown) => {
    if (fault === undefined) lives.ended++;
    else {
      lives.failed++;
      lives.fault ||= fault instanceof Error ? fault.message : "no error";
    }
  };
  const tallies = [...traffic.tallies];
  const answered = () =>
    tallies.reduce((sum, [, { byStatus }]) => sum + [...byStatus.values()].reduce((a, b) => a + b, 0), 0);
  const verifications = startSteadyLoad(() => traffic.sendOne(), rate);
  const changes = startSteadyLoad(() => live().then(() => noteLife(), noteLife), livesPerSecond);
  async function readOnce() {
    await sleep(restMilliseconds);
    const { status, text } = await requests.send(memoryPath, {});
    if (status !== 200) throw new Error(`${memoryPath} answers ${status}: ${text}`);
    return JSON.parse(text) as NodeJS.MemoryUsage;
  }
  /** The least of some readings. The process writes its uses once a minute and holds them meanwhile; samples of every 30 s may meet that each time. */
  async function readMemory() {
    const readings: NodeJS.MemoryUsage[] = [];
    while (readings.length < readingsOfASample) readings.push(await readOnce());
    return readings.reduce((least, reading) => (reading.heapUsed < least.heapUsed ? reading : least));
  }
  const startedAt = performance.now();
  const samples: Sample[] = [];
  const elapsed = () => performance.now() - startedAt;
  while (elapsed() < minutes * 60_000) {
    // To the next full interval: where a machine was so busy that one was missed, it is left out.
    await sleep(sampleMilliseconds - (elapsed() % sampleMilliseconds));
    const { rss, heapUsed, external } = await changes.duringPause(() => verifications.duringPause(readMemory));
    const minute = elapsed() / 60_000;
    samples.push({ minute, rss, heapUsed, external, answered: answered() });
    console.log(rowOf(samples.at(-1) as Sample).join("\t"));
  }
  const leftOut = (await verifications.stop()) + (await changes.stop());
  await requests.close();
  console.log(`\n${renderSamples(samples)}\n`);
  for (const [name, { sent, byStatus, unexpected }] of tallies) {
    const statuses = [...byStatus].map(([status, count]) => `${count} answers ${status}`).join(", ");
    console.log(`- ${name}: ${sent} sent, ${statuses}; ${unexpected} not as they should be.`);
  }
  console.log(
    `- Lives of a key (create, use, rotate, use, list, revoke, use): ${lives.ended} as they should be, ${lives.failed} not${lives.fault && ` (first: ${lives.fault})`}. Requests left out since too many were under way: ${leftOut}.`,
  );
  console.log(`\n${judge(samples, traffic.tallies.get("unknown keys")?.sent ?? 0)}`);
}

function rowOf({ minute, rss, heapUsed, external, answered }: Sample): string[] {
  const size = (bytes: number) => (bytes / mebibyte).toFixed(1);
  return [minute.toFixed(2), size(heapUsed), size(external), size(rss), String(answered)];
}

/** About a dozen of them, evenly spread, the last one included. */
function renderSamples(samples: readonly Sample[]): string {
  const step = Math.max(1, Math.ceil(samples.length / rowsShown));
  const shown = samples.filter((_, at) => (samples.length - 1 - at) % step === 0);
  return table(
    ["minute", "live heap MiB", "outside of it MiB", "RSS MiB", "requests so far"],
    shown.map((sample) => rowOf(sample)),
  );
}

/** By the second half: until then code is compiled, pools open, and what has a bound fills. */
function judge(samples: readonly Sample[], unknownSent: number): string {
  const half = samples.slice(Math.floor(samples.length / 2));
  const slope = (of: (sample: Sample) => number) =>
    slopeOf(half.map((sample) => [sample.minute / 60, of(sample) / mebibyte]));
  const heap = slope(({ heapUsed }) => heapUsed);
  const rss = slope((sample) => sample.rss);
  const tell = ({ value, low, high }: Slope) =>
    `${value.toFixed(2)} MiB an hour (95 % interval ${low.toFixed(2)} to ${high.toFixed(2)})`;
  const isFull = unknownSent / 2 >= remembered;
  return [
    `In the second half (${half.length} samples) the live heap grew by ${tell(heap)}, the RSS by ${tell(rss)}.`,
    isFull
      ? verdictOf(heap)
      : "That says nothing yet: the run was too short, and what the process remembers of unknown keys was still filling.",
    `${unknownSent} unknown keys came, of which it remembers ${remembered}.`,
  ].join(" ");
}

function verdictOf({ value, low, high }: Slope): string {
  if (low > 0) return `It grows: the whole interval is above 0. That is ${(24 * value).toFixed(0)} MiB a day.`;
  if (high > toleratedPerHour) return "That is not enough to tell: the interval is too wide.";
  return high < 0
    ? "It is flat: it even shrinks."
    : `It is flat: growth, if there is any, is at most ${high.toFixed(2)} MiB an hour.`;
}
