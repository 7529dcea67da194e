import { randomUUID } from "node:crypto";

import { eq, sql } from "drizzle-orm";

import { revokeApiKey } from "@/server/keys";
import type { Slots } from "@/server/slot/slot";
import type { ServerContext } from "@/server/keys/context";
import { apiKeys, cachePurges } from "@/server/platform/schema";

import { type Block, runBlock, summarize } from "./block";
import { compare, type Goal, type Side } from "./compare";
import type { Services } from "./services";
import { type BenchKey, insertKeys, openStage, rotating, type Stage, verify, warmSlots } from "./stage";
import type { Suite } from "./suite";
import { describeTrips } from "./trips";

const goals: Goal[] = [{ metric: "p50", atMost: 1 }];
const inFlight = 64;

/** How long a revocation takes until it is effective, beside one transaction and two round trips to Redis, and under a verification load. */
export const measureRevocations: Suite = async ({ services, effort, isQuick }) => {
  const stage = openStage(services);
  const tcp = openStage(services, undefined, "TCP");
  try {
    const revoked = keySource(stage);
    const touched = keySource(stage);
    const base: Side = {
      name: "1 transaction and 2 round trips",
      run: () => runRevocations(effort.blockMilliseconds, touched, (key) => transactionAndTwoTrips(stage, key)),
    };
    const candidate: Side = {
      name: "revoke, until effective",
      run: () => runRevocations(effort.blockMilliseconds, revoked, (key) => revoke(stage.context, key)),
    };
    const purging: Side = {
      name: "revoke, until Redis has confirmed the purge",
      run: () => runRevocations(effort.blockMilliseconds, revoked, (key) => untilPurged(stage.context, key)),
    };
    const byTcp: Side = {
      name: "revoke by TCP, until effective",
      run: () => runRevocations(effort.blockMilliseconds, revoked, (key) => revoke(tcp.context, key)),
    };
    const comparisons = [
      await compare("Revoke", base, candidate, effort, goals),
      await compare("Revoke, until no verification accepts the key", base, purging, effort),
      await compare("Revoke by TCP beside REST", { ...candidate, name: "by REST" }, byTcp, effort, goals),
    ];
    const trips = await describeTrips(async () => revoke(stage.context, await revoked.next()));
    const notes = [`revoke: ${trips}.`, await underLoad(services, isQuick ? 2_000 : 10_000)];
    return { comparisons, notes };
  } finally {
    await tcp.close();
    await stage.close();
  }
};

interface KeySource {
  next(): Promise<BenchKey>;
  /** So that making keys does not fall into a measured stretch. */
  stock(count: number): Promise<void>;
}

function keySource(stage: Stage): KeySource {
  const keys: BenchKey[] = [];
  const stock = async (count: number) => {
    if (keys.length < count) keys.push(...(await insertKeys(stage, count - keys.length)));
  };
  return {
    stock,
    async next() {
      await stock(1);
      const key = keys.pop();
      if (!key) throw new Error("no key");
      return key;
    },
  };
}

/** @param act revokes a key or does as much, and tells when it was done, in the milliseconds of `performance.now()` */
async function runRevocations(
  milliseconds: number,
  source: KeySource,
  act: (key: BenchKey) => Promise<number>,
): Promise<Block> {
  await source.stock(milliseconds);
  const latencies: number[] = [];
  const startedAt = performance.now();
  while (performance.now() - startedAt < milliseconds) {
    const key = await source.next();
    const before = performance.now();
    latencies.push((await act(key)) - before);
  }
  return { ...summarize(latencies, performance.now() - startedAt), failures: 0 };
}

async function revoke(context: ServerContext, { id, ownerId }: BenchKey): Promise<number> {
  const { effect } = await revokeApiKey(
    context,
    { ownerId, userId: ownerId, canManage: true, impersonatedBy: null },
    { id: `key_${id}` },
  );
  if (effect.status !== "effective") throw new Error("not effective");
  return performance.now();
}

/** The time up to the echo of the purge; the statement that records it follows, so that every later answer repeats the same time. */
async function untilPurged(context: ServerContext, key: BenchKey): Promise<number> {
  let confirmedAt = NaN;
  const slots: Slots = {
    ...context.slots,
    async purge(purges) {
      const confirmed = await context.slots.purge(purges);
      confirmedAt = performance.now();
      return confirmed;
    },
  };
  await revoke({ ...context, slots }, key);
  return confirmedAt;
}

/** The least that the design document counts: the bypass, the transaction's three statements between BEGIN and COMMIT, and the purge. */
async function transactionAndTwoTrips({ context }: Stage, { id, hash }: BenchKey): Promise<number> {
  const slot = `bench:${hash.toString("hex")}`;
  const bypass = "return redis.call('SET', KEYS[1], 'M:', 'PX', 30000)";
  await context.redis.slot.evaluate(bypass, { keys: [slot], args: [] });
  await context.db.commit(async (transaction) => {
    await transaction
      .update(apiKeys)
      .set({ revokedAt: sql`clock_timestamp()`, revokedBy: "owner" })
      .where(eq(apiKeys.id, id));
    await transaction
      .insert(cachePurges)
      // Due in a time that never comes: nobody drains here.
      .values({ keyId: id, hash, target: "revoked", nextAttemptAt: sql`clock_timestamp() + interval '1 day'` });
    await transaction.select({ id: cachePurges.id }).from(cachePurges).where(eq(cachePurges.keyId, id));
  });
  const script = "redis.call('DEL', KEYS[1]) redis.call('SET', KEYS[1], 'T:', 'PX', 65000) return ARGV[1]";
  await context.redis.purge.evaluate(script, { keys: [slot], args: [randomUUID()] });
  return performance.now();
}

/** Revokes one key after the other while as many verifications as this process can do run beside it, on the same event loop. */
async function underLoad(services: Services, milliseconds: number): Promise<string> {
  const stage = openStage(services);
  try {
    const keys = await insertKeys(stage, inFlight);
    await warmSlots(stage, keys);
    const source = keySource(stage);
    await source.stock(milliseconds / 2);
    const latencies: number[] = [];
    let failures = 0;
    const hit = rotating(keys, ({ secret }) => verify(stage.context, secret));
    const load = runBlock(hit, { inFlight, milliseconds });
    for (const startedAt = performance.now(); performance.now() - startedAt < milliseconds;) {
      const before = performance.now();
      await revoke(stage.context, await source.next()).then(
        () => latencies.push(performance.now() - before),
        () => failures++,
      );
    }
    const verifications = await load;
    const { p50, p99 } = summarize(latencies, milliseconds);
    const rate = `${verifications.requestsPerSecond.toFixed(0)} verifications a second in the same process (${inFlight} in flight, p50 ${verifications.p50.toFixed(1)} ms)`;
    const times = `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, slowest ${Math.max(...latencies).toFixed(1)} ms`;
    return `Beside ${rate}: ${latencies.length} revocations effective, one after the other, ${failures} not; ${times}.`;
  } finally {
    await stage.close();
  }
}
