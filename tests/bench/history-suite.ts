import { listKeyEvents } from "@/server/history";
import { newDatabase } from "@/tests/support/new-database";
import { storeOldEvents } from "@/tests/support/recorded-events";

import { runBlock } from "./block";
import { compare, type Goal, type Side } from "./compare";
import { settingOf } from "./services";
import { openStage, type Stage } from "./stage";
import type { Suite } from "./suite";

const owner = { ownerId: "user_history" };
const smallCount = 1_000;
const rowsPerStatement = 10_000;
const limit = 50;
const goals: Goal[] = [{ metric: "p50", atMost: 1.3 }];

/** The first page of a history of 1,000,000 events of one owner beside that of 1,000, and a page in its middle. */
export const measureHistory: Suite = async ({ services, effort, isQuick }) => {
  const largeCount = isQuick ? 100_000 : 1_000_000;
  const databaseUrl = settingOf(services, "DATABASE_URL");
  const small = openStage(services, await newDatabase(databaseUrl, "history_small"));
  const large = openStage(services, await newDatabase(databaseUrl, "history_large"));
  try {
    await fill(small, smallCount);
    await fill(large, largeCount);
    const reading = (name: string, { context }: Stage, cursor?: string): Side => ({
      name,
      run: () =>
        runBlock(() => listKeyEvents(context, owner, { limit, cursor }), {
          inFlight: 1,
          milliseconds: effort.blockMilliseconds,
        }),
    });
    const few = `${smallCount.toLocaleString("en")} events`;
    const many = `${largeCount.toLocaleString("en")} events`;
    const first = await compare("The first page", reading(few, small), reading(many, large), effort, goals);
    const middle = await compare(
      "A page in the middle",
      reading(few, small, await middleOf(small, smallCount)),
      reading(many, large, await middleOf(large, largeCount)),
      effort,
      goals,
    );
    return { comparisons: [first, middle], notes: [] };
  } finally {
    await small.close();
    await large.close();
  }
};

async function fill({ context }: Stage, count: number): Promise<void> {
  for (let left = count; left > 0; left -= rowsPerStatement)
    await storeOldEvents(context.db, owner.ownerId, 1, Math.min(left, rowsPerStatement));
  await context.db.execute("analyze latchkey.key_events");
}

async function middleOf({ context }: Stage, count: number): Promise<string> {
  const { rows } = await context.db.execute<{ id: string }>(
    `select id from latchkey.key_events order by id offset ${count / 2} limit 1`,
  );
  return rows[0]?.id ?? "";
}
