import { listKeyEvents } from "@/server/history";
import { pruneEvents } from "@/server/history/prune";
import { createApiKey, listApiKeys, revokeApiKey, usageOfApiKey } from "@/server/keys";
import { newCaller, newKeyInput } from "@/tests/support/server-instance";
import { newDatabase } from "@/tests/support/new-database";
import { storeOldEvents } from "@/tests/support/recorded-events";

import { type Block, runBlock, summarize } from "./block";
import { compare, type Effort, type Goal } from "./compare";
import { describeTables, insertMonth, monthKey, monthKeysPerOwner } from "./month";
import { settingOf } from "./services";
import { insertKeys, openStage, rotating, type Stage, verify } from "./stage";
import type { Suite } from "./suite";

const smallCount = 5_000;
const knownCount = 1_000;
const goals: Goal[] = [{ metric: "p50", atMost: 1.3 }];
const hourMilliseconds = 3_600_000;
const monthMilliseconds = 30 * 24 * hourMilliseconds;
const usesPerFlush = 1_000;

/** A database with a month behind it. */
interface Month {
  stage: Stage;
  keyCount: number;
  name: string;
}

type Act = (month: Month) => () => Promise<Block>;

/** What a million keys with a month of usage and history cost beside a few thousand. */
export const measureMonth: Suite = async ({ services, effort, isQuick }) => {
  const largeCount = isQuick ? 50_000 : 1_000_000;
  const short: Effort = {
    ...effort,
    rounds: 6,
    blockMilliseconds: Math.min(effort.blockMilliseconds, 200),
    warmUpBlocks: 1,
  };
  const open = async (name: string, keyCount: number) => {
    const url = await newDatabase(settingOf(services, "DATABASE_URL"), name);
    const startedAt = performance.now();
    await insertMonth(url, keyCount);
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
    const month: Month = { stage: openStage(services, url), keyCount, name: `${keyCount.toLocaleString("en")} keys` };
    return { month, note: `${month.name} with their month, made in ${seconds} s: ${await describeTables(url)}.` };
  };
  const small = await open("month_small", smallCount);
  const large = await open("month_large", largeCount);
  try {
    const comparisons = [];
    for (const [title, act] of Object.entries(await actsOf(small.month, large.month, short)))
      comparisons.push(
        await compare(
          title,
          { name: small.month.name, run: act(small.month) },
          { name: large.month.name, run: act(large.month) },
          short,
          goals,
        ),
      );
    return { comparisons, notes: [small.note, large.note] };
  } finally {
    await small.month.stage.close();
    await large.month.stage.close();
  }
};

async function actsOf(
  small: Month,
  large: Month,
  { blockMilliseconds: milliseconds }: Effort,
): Promise<Record<string, Act>> {
  const known = new Map([
    [small, await insertKeys(small.stage, knownCount)],
    [large, await insertKeys(large.stage, knownCount)],
  ]);
  const repeated =
    (operation: (month: Month) => () => Promise<unknown>): Act =>
    (month) => {
      const next = operation(month);
      return () => runBlock(next, { inFlight: 1, milliseconds });
    };
  const ofRandomKey = (operation: (month: Month, key: ReturnType<typeof monthKey>) => Promise<unknown>): Act =>
    repeated((month) => () => operation(month, monthKey(Math.floor(Math.random() * month.keyCount), month.keyCount)));
  return {
    [`The owner's list, ${monthKeysPerOwner} keys`]: ofRandomKey(({ stage }, { ownerId }) =>
      listApiKeys(stage.context, newCaller({ ownerId })),
    ),
    "Creating a key": repeated(
      ({ stage }) =>
        () =>
          createApiKey(stage.context, newCaller(), newKeyInput()),
    ),
    "Revoking a key": repeated(revokingOneAfterTheOther),
    "A miss": (month) => {
      const next = rotating(known.get(month) ?? [], ({ secret }) => verify(month.stage.context, secret));
      return async () => {
        // A block must not come to the same key twice: with an empty Redis each first verification is a miss.
        await month.stage.redis.pipeline([["FLUSHALL"]]);
        const block = await runBlock(next, { inFlight: 1, milliseconds });
        await month.stage.settle();
        return block;
      };
    },
    "The first page of an owner's history": ofRandomKey(({ stage }, { ownerId }) =>
      listKeyEvents(stage.context, { ownerId }, { limit: 50 }),
    ),
    "A key's curves of the last 24 hours and 30 days": ofRandomKey(({ stage }, { id, ownerId }) =>
      usageOfApiKey(stage.context, { ownerId }, { id: `key_${id}` }),
    ),
    [`Writing the uses of ${usesPerFlush.toLocaleString("en")} keys`]: repeated(flushingUses),
    "Pruning 1,000 events of the history": pruning,
  };
}

/** Over the whole table, and no key twice: the step is a prime that divides no number of keys. */
function revokingOneAfterTheOther({ stage: { context }, keyCount }: Month): () => Promise<unknown> {
  let number = 0;
  return () => {
    number = (number + 7_919) % keyCount;
    const { id, ownerId } = monthKey(number, keyCount);
    return revokeApiKey(context, newCaller({ ownerId }), { id: `key_${id}` });
  };
}

/**
 * Each write is of an hour of its own, so that each adds rows, as the first write of an hour does. The hours are within the month. Of later ones
 * each write would delete what has become too old: hundreds of rows of the many keys that come for the first time, and few of the few that come
 * again, so that the two sides would not do the same work.
 */
function flushingUses({ stage: { context }, keyCount }: Month): () => Promise<void> {
  let hour = Date.now() - monthMilliseconds;
  return async () => {
    hour += hourMilliseconds;
    const first = Math.floor(Math.random() * keyCount);
    const step = keyCount / usesPerFlush;
    for (let at = 0; at < usesPerFlush; at++) {
      const { id, hash } = monthKey((first + at * step) % keyCount, keyCount);
      context.usage.record(id, hash.toString("hex"), hour);
    }
    await context.usage.flush();
  };
}

/** Four batches a block. The events to delete are made before each, and that is not counted. */
function pruning({ stage: { context } }: Month): () => Promise<Block> {
  return async () => {
    const latencies: number[] = [];
    for (let batch = 0; batch < 4; batch++) {
      await storeOldEvents(context.db, "user_old", 400 + batch, 1_000);
      const before = performance.now();
      const deleted = await pruneEvents({ db: context.db, settings: { historyDays: 365 } });
      latencies.push(performance.now() - before);
      if (deleted !== 1_000) throw new Error(`${deleted} events were pruned`);
    }
    return {
      ...summarize(
        latencies,
        latencies.reduce((sum, took) => sum + took, 0),
      ),
      failures: 0,
    };
  };
}
