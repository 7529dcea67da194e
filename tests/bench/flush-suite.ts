import { setTimeout as sleep } from "node:timers/promises";

import { revokeApiKey, verifyApiKey, type VerifyContext } from "@/server/keys";

import { summarize } from "./block";
import { type BenchKey, insertKeys, openStage, type Stage } from "./stage";
import type { Suite } from "./suite";

/** One in so many keys is revoked: the flush takes its tombstone too. */
const revokedEvery = 20;
/** A stretch that is judged as one. */
const windowMilliseconds = 100;
const enoughHits = 0.95;
const patienceMilliseconds = 60_000;

/** What one verification was, and when it ended, in milliseconds after the flush. */
interface Call {
  endedAt: number;
  took: number;
  isUnavailable: boolean;
}

/** A burst after a flush of Redis: all slots are gone at once in the middle of a load over many warm keys. */
export const measureFlushes: Suite = async ({ services, isQuick }) => {
  const count = isQuick ? 2_000 : 20_000;
  const notes: string[] = [];
  for (const way of ["REST", "TCP"] as const) {
    const stage = openStage(services, undefined, way);
    try {
      const keys = await insertKeys(stage, count);
      const revoked = new Set(keys.filter((_, at) => at % revokedEvery === 0));
      for (const key of revoked) await revoke(stage, key);
      for (const inFlight of [64, 256])
        notes.push(`By ${way}, ${inFlight} in flight: ${await measureFlush(stage, { keys, revoked, inFlight })}`);
    } finally {
      await stage.close();
    }
  }
  return { comparisons: [], notes };
};

interface Load {
  keys: readonly BenchKey[];
  revoked: ReadonlySet<BenchKey>;
  inFlight: number;
}

async function measureFlush(stage: Stage, { keys, revoked, inFlight }: Load): Promise<string> {
  await warm(stage, keys);
  const reads: number[] = [];
  const readsOf = new Map<string, number>();
  const context = countingReads(stage.context, (hash) => {
    reads.push(performance.now());
    readsOf.set(hash, (readsOf.get(hash) ?? 0) + 1);
  });
  const calls: Call[] = [];
  let wrong = 0;
  let isOver = false;
  const repeat = async () => {
    while (!isOver) {
      const key = keys[Math.floor(Math.random() * keys.length)];
      if (!key) throw new Error("no keys");
      const before = performance.now();
      const valid = await verifyApiKey(context, key.secret).then(
        (verification) => verification.valid,
        () => null,
      );
      const endedAt = performance.now();
      calls.push({ endedAt, took: endedAt - before, isUnavailable: valid === null });
      if (valid === revoked.has(key)) wrong++;
    }
  };
  const load = Promise.all(Array.from({ length: inFlight }, repeat));
  await sleep(1_000);
  const readsBefore = reads.length;
  readsOf.clear();
  const flushedAt = performance.now();
  await stage.redis.pipeline([["FLUSHALL"]]);
  const recoveredAt = await untilHits(calls, reads, flushedAt);
  isOver = true;
  await load;
  await stage.settle();
  const took = (from: number, to: number) =>
    summarize(
      calls
        .filter(({ endedAt, isUnavailable }) => !isUnavailable && endedAt > from && endedAt <= to)
        .map((call) => call.took),
      NaN,
    );
  const before = took(flushedAt - 1_000, flushedAt);
  const during = took(flushedAt, recoveredAt);
  const most = Math.max(...readsOf.values());
  const average = (reads.length - readsBefore) / readsOf.size;
  return [
    `hits at 95 % again ${((recoveredAt - flushedAt) / 1_000).toFixed(1)} s after the flush of ${keys.length.toLocaleString("en")} slots`,
    `p50 and p99 ${during.p50.toFixed(1)} and ${during.p99.toFixed(1)} ms until then, ${before.p50.toFixed(1)} and ${before.p99.toFixed(1)} before`,
    `${average.toFixed(2)} statements to Postgres for each key that was used, at most ${most}`,
    `${calls.filter((call) => call.isUnavailable).length} of ${calls.length} verifications answered 503, ${wrong} with a wrong verdict.`,
  ].join("; ");
}

/** @returns the end of the first stretch after the flush in which 95 % of the verifications were hits. */
async function untilHits(calls: readonly Call[], reads: readonly number[], flushedAt: number): Promise<number> {
  for (let from = flushedAt; from - flushedAt < patienceMilliseconds; from += windowMilliseconds) {
    const to = from + windowMilliseconds;
    await sleep(Math.max(0, to - performance.now()));
    const made = calls.filter(({ endedAt }) => endedAt > from && endedAt <= to).length;
    const missed = reads.filter((at) => at > from && at <= to).length;
    if (made > 0 && missed <= (1 - enoughHits) * made) return to;
  }
  throw new Error("hits have not come back");
}

async function warm(stage: Stage, keys: readonly BenchKey[]): Promise<void> {
  const left = [...keys];
  const fill = async () => {
    for (let key = left.pop(); key; key = left.pop()) await verifyApiKey(stage.context, key.secret);
  };
  await Promise.all(Array.from({ length: 16 }, fill));
  await stage.settle();
}

function countingReads(context: VerifyContext, note: (hash: string) => void): VerifyContext {
  const { findByHash } = context;
  const execute: typeof findByHash.execute = (values) => {
    note(String((values?.hash as Buffer | undefined)?.toString("hex")));
    return findByHash.execute(values);
  };
  return { ...context, findByHash: Object.create(findByHash, { execute: { value: execute } }) as typeof findByHash };
}

async function revoke({ context }: Stage, { id, ownerId }: BenchKey): Promise<void> {
  const caller = { ownerId, userId: ownerId, canManage: true, impersonatedBy: null };
  await revokeApiKey(context, caller, { id: `key_${id}` });
}
