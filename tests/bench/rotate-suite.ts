import { randomUUID } from "node:crypto";

import { type Caller, createApiKey, rotateApiKey } from "@/server/keys";
import { owners } from "@/server/platform/schema";

import { type Block, summarize } from "./block";
import { compare, type Goal, type Side } from "./compare";
import { insertKeys, openStage, type Stage } from "./stage";
import type { Suite } from "./suite";
import { describeTrips } from "./trips";

const goals: Goal[] = [{ metric: "p50", atMost: 1.2 }];
/** More than a block can use up. */
const callsPerMillisecond = 1;

/** How long a rotation takes beside a creation. Each owner creates once, and each key is rotated once. */
export const measureRotations: Suite = async ({ services, effort }) => {
  const stage = openStage(services);
  try {
    const calls = effort.blockMilliseconds * callsPerMillisecond;
    const creating: Side = {
      name: "create",
      run: async () => runCalls(effort.blockMilliseconds, await creations(stage, calls)),
    };
    const rotating = (name: string, graceSeconds: number): Side => ({
      name,
      run: async () => runCalls(effort.blockMilliseconds, await rotations(stage, calls, graceSeconds)),
    });
    const comparisons = [
      await compare("Rotate, with a grace", creating, rotating("rotate, 24 hours", 86_400), effort, goals),
      await compare("Rotate, without a grace", creating, rotating("rotate, now", 0), effort),
    ];
    const notes = [];
    for (const [name, graceSeconds] of [
      ["24 hours", 86_400],
      ["now", 0],
    ] as const) {
      const [once] = await rotations(stage, 1, graceSeconds);
      if (once) notes.push(`rotate, ${name}: ${await describeTrips(once)}.`);
    }
    return { comparisons, notes };
  } finally {
    await stage.close();
  }
};

type Call = () => Promise<unknown>;

async function creations({ context }: Stage, count: number): Promise<Call[]> {
  const ids = Array.from({ length: count }, () => `user_${randomUUID()}`);
  await context.db.insert(owners).values(ids.map((id) => ({ id })));
  return ids.map((id) => () => createApiKey(context, callerOf(id), { name: "Bench", requestId: randomUUID() }));
}

async function rotations(stage: Stage, count: number, graceSeconds: number): Promise<Call[]> {
  const keys = await insertKeys(stage, count);
  return keys.map(({ id, ownerId }) => () => {
    const input = { id: `key_${id}`, requestId: randomUUID(), graceSeconds };
    return rotateApiKey(stage.context, callerOf(ownerId), input);
  });
}

const callerOf = (ownerId: string): Caller => ({
  ...{ ownerId, ownerKind: "user", ownerName: null, userId: ownerId },
  ...{ hasAccessClaim: true, canManage: true, impersonatedBy: null },
});

async function runCalls(milliseconds: number, calls: Call[]): Promise<Block> {
  const latencies: number[] = [];
  const startedAt = performance.now();
  while (performance.now() - startedAt < milliseconds) {
    const call = calls.pop();
    if (!call) throw new Error("the machine is too fast for this bench: it has used up its keys");
    const before = performance.now();
    await call();
    latencies.push(performance.now() - before);
  }
  return { ...summarize(latencies, performance.now() - startedAt), failures: 0 };
}
