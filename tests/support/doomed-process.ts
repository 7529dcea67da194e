import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";

import { sql } from "drizzle-orm";
import { afterAll, expect } from "vitest";

import type { EventSettings } from "@/server/events";
import { drainPurges } from "@/server/outbox/drain";
import { cachePurges } from "@/server/platform/schema";

import type { Act } from "./acting-process";
import { compile } from "./compile";
import { startTestServer } from "./domain";
import type { RedisKind } from "./redis-kinds";
import type { TestServer } from "./server-instance";

/** A step of a change, seen from outside: by the message that the process sends. */
export interface CrashStep {
  step: string;
  redis?: (body: string) => boolean;
  postgres?: (statement: string) => boolean;
  /** Whether the message still arrives. */
  executes: boolean;
  /** Whether the change is made then. */
  isDone: boolean;
}

const isBypass = (body: string) => body.includes('"M:"');
const isPurge = (body: string) => body.includes("'DEL'");
const isCommit = (statement: string) => statement.startsWith("COMMIT");
const isRecord = (statement: string) => statement.includes("latchkey.record_confirmed");

export const bypassSteps: CrashStep[] = [
  { step: "before the bypass", redis: isBypass, executes: false, isDone: false },
  { step: "after the bypass", redis: isBypass, executes: true, isDone: false },
];
export const commitSteps: CrashStep[] = [
  { step: "before the commit", postgres: isCommit, executes: false, isDone: false },
  { step: "after the commit", postgres: isCommit, executes: true, isDone: true },
  { step: "before the purge", redis: isPurge, executes: false, isDone: true },
  { step: "after the purge", redis: isPurge, executes: true, isDone: true },
  { step: "before the effect is recorded", postgres: isRecord, executes: false, isDone: true },
  { step: "after the effect is recorded", postgres: isRecord, executes: true, isDone: true },
];

const actingProcess = compile("tests/support/acting-process.ts");
afterAll(async () => rm(dirname(await actingProcess), { recursive: true, force: true }));

/**
 * Starts `acting-process.ts` beside the server, and kills it (SIGKILL) at the step.
 * @param more `events`: where the process sends events. `arm` gets the function that kills, for a step that is seen elsewhere.
 */
export async function crash(
  server: TestServer,
  redisKind: RedisKind,
  { redis, postgres, executes }: Pick<CrashStep, "redis" | "postgres" | "executes">,
  act: Act,
  more: { events?: EventSettings; arm?: (kill: () => void) => void } = {},
): Promise<void> {
  const sessionsBefore = await readSessions(server);
  const doomed = await startTestServer(redisKind, server.postgresProxy.url);
  const children: ChildProcess[] = [];
  let kills = 0;
  const kill = () => {
    kills++;
    for (const child of children) child.kill("SIGKILL");
  };
  more.arm?.(kill);
  doomed.redisProxy.decide = (body) => {
    if (!redis?.(body)) return "pass";
    kill();
    return executes ? "lose" : "refuse";
  };
  doomed.postgresProxy.decide = (statement) => {
    if (!postgres?.(statement)) return "pass";
    kill();
    return executes ? "break after" : "break";
  };
  const child = spawn(process.execPath, [await actingProcess], {
    env: {
      ...process.env,
      DATABASE_URL: doomed.postgresProxy.url,
      REDIS_PLACE: JSON.stringify(doomed.redisPlace),
      ACT: JSON.stringify(act),
      ...(more.events && { EVENTS: JSON.stringify(more.events) }),
    },
    stdio: "inherit",
  });
  children.push(child);
  const [, signal] = (await once(child, "exit")) as [number | null, string | null];
  expect({ kills, signal }).toEqual({ kills: 1, signal: "SIGKILL" });
  await doomed.close();
  // Postgres ends a statement whose client is gone. What it commits then would come into what the test does next.
  await expect
    .poll(async () => (await readSessions(server)).filter((pid) => !sessionsBefore.includes(pid)), { timeout: 10_000 })
    .toEqual([]);
}

/** The sessions of the database, without the one that asks. */
async function readSessions({ db }: TestServer): Promise<number[]> {
  const { rows } = await db.execute<{ pid: number }>(sql`
    select pid from pg_stat_activity
    where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`);
  return rows.map(({ pid }) => pid);
}

/** What a commit has promised is carried out by any other instance. */
export async function drainAll(server: TestServer): Promise<void> {
  await server.db.update(cachePurges).set({ nextAttemptAt: sql`clock_timestamp()` });
  await drainPurges(server);
  expect(await server.db.select().from(cachePurges)).toEqual([]);
}
