import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";

import { effectOfApiKey, verifyApiKey } from "@/server/keys";
import { cachePurges } from "@/server/platform/schema";
import { drainPurges } from "@/server/outbox/drain";

import { createKeyOf, newCaller, startTestServer, useTestServer } from "../support/domain";
import { redisKinds } from "../support/services";

const isBypass = (body: string) => body.includes('"M:"');
const isPurge = (body: string) => body.includes("'DEL'");
const isCommit = (statement: string) => statement.startsWith("COMMIT");
const isRecord = (statement: string) => statement.includes("delete from");

/** Each step of a revocation at which the process dies: seen from outside, by the message it had sent or not yet sent. */
const steps = [
  { step: "before the bypass", redis: isBypass, executes: false, isRevoked: false },
  { step: "after the bypass", redis: isBypass, executes: true, isRevoked: false },
  { step: "before the commit", postgres: isCommit, executes: false, isRevoked: false },
  { step: "after the commit", postgres: isCommit, executes: true, isRevoked: true },
  { step: "before the purge", redis: isPurge, executes: false, isRevoked: true },
  { step: "after the purge", redis: isPurge, executes: true, isRevoked: true },
  { step: "before the effect is recorded", postgres: isRecord, executes: false, isRevoked: true },
  { step: "after the effect is recorded", postgres: isRecord, executes: true, isRevoked: true },
];

describe.each(redisKinds)("a process that is killed while it revokes, on %s", (redisKind) => {
  const server = useTestServer(redisKind);

  it.each(steps)("$step: the promise holds, and nothing is lost", async ({ redis, postgres, executes, isRevoked }) => {
    const caller = newCaller();
    const { key, secret } = await createKeyOf(server(), caller);
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    await server().runDeferred();

    const doomed = await startTestServer(redisKind, server().postgresProxy.url);
    const children: ChildProcess[] = [];
    let kills = 0;
    const kill = () => {
      kills++;
      for (const child of children) child.kill("SIGKILL");
    };
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
    const child = spawn(process.execPath, ["--import", "tsx", "tests/support/revoker-process.ts"], {
      env: {
        ...process.env,
        DATABASE_URL: doomed.postgresProxy.url,
        REDIS_PLACE: JSON.stringify(doomed.redisPlace),
        OWNER_ID: caller.ownerId,
        KEY_ID: key.id,
      },
      stdio: "inherit",
    });
    children.push(child);
    const [, signal] = (await once(child, "exit")) as [number | null, string | null];
    expect({ kills, signal }).toEqual({ kills: 1, signal: "SIGKILL" });
    await doomed.close();

    // What a commit has promised is carried out by any other instance; what was not committed has not happened.
    const before = await effectOfApiKey(server(), caller, key);
    expect(before === null).toBe(!isRevoked);
    await server()
      .db.update(cachePurges)
      .set({ nextAttemptAt: sql`clock_timestamp()` });
    await drainPurges(server());
    const after = await effectOfApiKey(server(), caller, key);
    expect(after?.status).toBe(isRevoked ? "effective" : undefined);
    if (before?.status === "effective") expect(after).toEqual(before);
    expect((await verifyApiKey(server(), secret)).valid).toBe(!isRevoked);
    expect(await server().db.select().from(cachePurges)).toEqual([]);
  });
});
