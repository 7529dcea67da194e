import { isNotNull } from "drizzle-orm";

import { drainPurges } from "@/server/outbox/drain";
import { apiKeys, apiKeySecrets } from "@/server/platform/schema";
import { newDatabase } from "@/tests/support/new-database";
import { storePendingRevocations } from "@/tests/support/pending-revocations";

import { type Services, settingOf } from "./services";
import { openStage, type Stage } from "./stage";
import type { Suite } from "./suite";

/** How long everything that has gathered in the outbox takes, from the moment when a drain finds Redis there again. */
export const measureDrains: Suite = async ({ services, isQuick }) => {
  const pending = isQuick ? 1_000 : 10_000;
  const rounds = isQuick ? 1 : 5;
  const databaseUrl = await newDatabase(settingOf(services, "DATABASE_URL"), "drain");
  const withEmbedded = { ...services, environment: { ...services.environment, ...services.embeddedRedis } };
  const measure = async (name: string, those: Services) => {
    const stage = openStage(those, databaseUrl);
    const seconds: number[] = [];
    for (let round = 0; round < rounds; round++) seconds.push(await secondsOfDrain(stage, pending));
    await stage.close();
    const [fastest, slowest] = [Math.min(...seconds), Math.max(...seconds)].map((value) => value.toFixed(2));
    return `${pending} pending revocations, ${name}: all effective after ${fastest} to ${slowest} s (${rounds} rounds).`;
  };
  const notes = [await measure("a real redis-server", services), await measure("the embedded engine", withEmbedded)];
  return { comparisons: [], notes };
};

async function secondsOfDrain(stage: Stage, pending: number): Promise<number> {
  const { db } = stage.context;
  await storePendingRevocations(db, pending);
  const startedAt = performance.now();
  await drainPurges(stage.context);
  const seconds = (performance.now() - startedAt) / 1_000;
  const effective = await db.$count(apiKeys, isNotNull(apiKeys.effectiveAt));
  if (effective !== pending) throw new Error(`only ${effective} are effective`);
  await db.delete(apiKeySecrets);
  await db.delete(apiKeys);
  return seconds;
}
