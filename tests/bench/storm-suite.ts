import { setTimeout as sleep } from "node:timers/promises";

import { revokeApiKey, verifyApiKey } from "@/server/keys";

import { runBlock, summarize } from "./block";
import { compare, type Side } from "./compare";
import { keySource, type KeySource } from "./key-source";
import { type BenchKey, insertKeys, openStage, rotating, type Stage, verify, warmSlots } from "./stage";
import type { Suite } from "./suite";

const inFlight = 64;
/** 1,000 in a minute. */
const pauseMilliseconds = 60;

interface Seen {
  latencies: number[];
  effective: number;
  pending: number;
  failed: number;
  /** Verifications that began after the answer "effective", on another instance, and accepted. */
  acceptedAfter: number;
}

/** 1,000 revocations in a minute beside a verification load, by REST and by TCP, and the same load without them. */
export const measureStorms: Suite = async ({ services, effort, isQuick }) => {
  const milliseconds = isQuick ? 1_200 : 5_000;
  const measure = async (way: "REST" | "TCP") => {
    const stage = openStage(services, undefined, way);
    const other = openStage(services, undefined, way);
    try {
      const keys = await insertKeys(stage, inFlight);
      await warmSlots(stage, keys);
      const source = keySource(stage);
      const seen: Seen = { latencies: [], effective: 0, pending: 0, failed: 0, acceptedAfter: 0 };
      const load = (duration: number) =>
        runBlock(
          rotating(keys, ({ secret }) => verify(stage.context, secret)),
          { inFlight, milliseconds: duration },
        );
      const quiet: Side = { name: "the load alone", run: () => load(milliseconds / 4) };
      const stormy: Side = {
        name: "the load beside 1,000 revocations a minute",
        async run() {
          await source.stock(Math.ceil(milliseconds / pauseMilliseconds));
          const [block] = await Promise.all([load(milliseconds), storm(stage, other, source, milliseconds, seen)]);
          return block;
        },
      };
      const title = `Verifications by ${way}, ${inFlight} in flight`;
      const comparison = await compare(title, quiet, stormy, { ...effort, warmUpBlocks: 1, attempts: 1 });
      return { comparison, note: `By ${way}, ${describe(seen)}` };
    } finally {
      await other.close();
      await stage.close();
    }
  };
  const found = [await measure("REST"), await measure("TCP")];
  return { comparisons: found.map(({ comparison }) => comparison), notes: found.map(({ note }) => note) };
};

/** Each revocation begins at its time, whether those before it have ended or not. So one that is slow is not left out of the count. */
async function storm(stage: Stage, other: Stage, source: KeySource, milliseconds: number, seen: Seen): Promise<void> {
  const startedAt = performance.now();
  const running: Promise<void>[] = [];
  for (let dueAt = 0; dueAt < milliseconds; dueAt += pauseMilliseconds) {
    await sleep(Math.max(0, startedAt + dueAt - performance.now()));
    running.push(revokeInUse(stage, other, await source.next(), seen));
  }
  await Promise.all(running);
}

async function revokeInUse({ context }: Stage, other: Stage, key: BenchKey, seen: Seen): Promise<void> {
  const caller = { ownerId: key.ownerId, userId: key.ownerId, canManage: true, impersonatedBy: null };
  try {
    // The other instance has the key in the cache.
    await verify(other.context, key.secret);
    const before = performance.now();
    const { effect } = await revokeApiKey(context, caller, { id: `key_${key.id}` });
    seen.latencies.push(performance.now() - before);
    seen[effect.status]++;
    if (effect.status === "effective" && (await verifyApiKey(other.context, key.secret)).valid) seen.acceptedAfter++;
  } catch {
    seen.failed++;
  }
}

function describe({ latencies, effective, pending, failed, acceptedAfter }: Seen): string {
  const { p50, p99 } = summarize(latencies, NaN);
  const times = `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, slowest ${Math.max(...latencies).toFixed(1)} ms`;
  const verified = `${effective} verifications on another instance, each begun after the answer "effective"`;
  return `${latencies.length} revocations: ${effective} effective, ${pending} pending, ${failed} failed; ${times}. Of ${verified}: ${acceptedAfter} accepted.`;
}
