import { newDatabase } from "@/tests/support/new-database";
import { slotKeyOf } from "@/tests/support/slots";

import { runBlock } from "./block";
import { compare, type Goal, type Side } from "./compare";
import { settingOf } from "./services";
import { type BenchKey, insertFiller, insertKeys, openStage, rotating, type Stage, verify, warmSlots } from "./stage";
import type { Suite } from "./suite";

const smallCount = 1_000;
/** Keys whose secrets are known, spread over the large table, so that its misses find their rows all over it. */
const knownInLarge = 20_000;
const warmSlotCount = 100_000;
const goals: Goal[] = [{ metric: "p50", atMost: 1.3 }];

/** Misses and hits with 1,000,000 keys stored beside 1,000, and what a warm slot takes of Redis's memory. */
export const measureGrowth: Suite = async ({ services, effort, isQuick }) => {
  const largeCount = isQuick ? 100_000 : 1_000_000;
  const databaseUrl = settingOf(services, "DATABASE_URL");
  const small = openStage(services, await newDatabase(databaseUrl, "growth_small"));
  const large = openStage(services, await newDatabase(databaseUrl, "growth_large"));
  try {
    const smallKeys = await insertKeys(small, smallCount);
    const largeKeys = await insertSpread(large, largeCount);
    for (const { context } of [small, large]) await context.db.execute("vacuum analyze");

    const missing = (name: string, stage: Stage, keys: readonly BenchKey[]): Side => {
      const next = rotating(keys, ({ secret }) => verify(stage.context, secret));
      return {
        name,
        async run() {
          // An empty Redis makes every first verification of a key a miss; a block must not come to the same key twice.
          await stage.redis.pipeline([["FLUSHALL"]]);
          const block = await runBlock(next, { inFlight: 1, milliseconds: Math.min(effort.blockMilliseconds, 400) });
          await stage.settle();
          return block;
        },
      };
    };
    const hitting = (name: string, stage: Stage, keys: readonly BenchKey[]): Side => ({
      name,
      run: () =>
        runBlock(
          rotating(keys, ({ secret }) => verify(stage.context, secret)),
          { inFlight: 1, milliseconds: effort.blockMilliseconds },
        ),
    });

    const few = `${smallCount.toLocaleString("en")} keys stored`;
    const many = `${largeCount.toLocaleString("en")} keys stored`;
    const misses = await compare(
      "A miss",
      missing(few, small, smallKeys),
      missing(many, large, shuffled(largeKeys)),
      effort,
      goals,
    );
    await large.redis.pipeline([["FLUSHALL"]]);
    await warmSlots(small, smallKeys);
    await warmSlots(large, largeKeys.slice(0, smallCount));
    const memory = await measureSlotMemory(large, largeKeys[0]);
    const hits = await compare(
      `A hit, ${warmSlotCount.toLocaleString("en")} slots warm`,
      hitting(few, small, smallKeys),
      hitting(many, large, largeKeys.slice(0, smallCount)),
      effort,
      goals,
    );
    return { comparisons: [misses, hits], notes: [memory] };
  } finally {
    await small.close();
    await large.close();
  }
};

async function insertSpread(stage: Stage, count: number): Promise<BenchKey[]> {
  const keys: BenchKey[] = [];
  const known = Math.min(knownInLarge, count / 10);
  const parts = 50;
  for (let part = 0; part < parts; part++) {
    keys.push(...(await insertKeys(stage, known / parts)));
    await insertFiller(stage, (count - known) / parts);
  }
  return keys;
}

/** By their hashes, which are as good as random. */
function shuffled(keys: readonly BenchKey[]): BenchKey[] {
  return keys.toSorted((a, b) => a.hash.compare(b.hash));
}

/** Copies a real slot, with its expiry, under as many names as there would be keys. */
async function measureSlotMemory({ redis }: Stage, key: BenchKey | undefined): Promise<string> {
  const original = slotKeyOf(key?.hash ?? Buffer.alloc(0));
  const [value] = await redis.pipeline([["GET", original]]);
  if (typeof value !== "string") throw new Error("the slot is empty");
  const before = await usedMemory(redis);
  const size = 1_000;
  for (let made = 0; made < warmSlotCount; made += size)
    await redis.pipeline(
      Array.from({ length: size }, (_, at) => [
        "SET",
        slotKeyOf(Buffer.from((made + at).toString(16).padStart(64, "0"), "hex")),
        value,
        "PX",
        "600000",
      ]),
    );
  const bytes = (await usedMemory(redis)) - before;
  const each = Math.round(bytes / warmSlotCount);
  return `${warmSlotCount.toLocaleString("en")} warm slots of ${value.length} bytes each take ${(bytes / 2 ** 20).toFixed(1)} MiB of Redis's memory, ${each} bytes a slot (INFO memory, used_memory).`;
}

async function usedMemory(redis: Stage["redis"]): Promise<number> {
  const [info] = await redis.pipeline([["INFO", "memory"]]);
  return Number(/used_memory:(\d+)/.exec(typeof info === "string" ? info : "")?.[1]);
}
