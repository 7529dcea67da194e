import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";

import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";

import { listApiKeys, rotateApiKey, verifyApiKey } from "@/server/keys";
import { drainPurges } from "@/server/outbox/drain";
import { cachePurges } from "@/server/platform/schema";
import { rotateInput } from "@/server/shared/inputs";

import { createKeyOf, newCaller, startTestServer, useTestServer } from "../support/domain";
import { redisKinds, testRedis } from "../support/services";

const isBypass = (body: string) => body.includes('"M:"');
const isPurge = (body: string) => body.includes("'DEL'");
const isCommit = (statement: string) => statement.startsWith("COMMIT");
const isRecord = (statement: string) => statement.includes("delete from");

interface Step {
  step: string;
  redis?: typeof isPurge;
  postgres?: typeof isCommit;
  executes: boolean;
  isDone: boolean;
}
/** Where the process dies: seen from outside, by the message that it had sent or not yet sent. */
const commitSteps: Step[] = [
  { step: "before the commit", postgres: isCommit, executes: false, isDone: false },
  { step: "after the commit", postgres: isCommit, executes: true, isDone: true },
  { step: "before the purge", redis: isPurge, executes: false, isDone: true },
  { step: "after the purge", redis: isPurge, executes: true, isDone: true },
  { step: "before its record", postgres: isRecord, executes: false, isDone: true },
  { step: "after its record", postgres: isRecord, executes: true, isDone: true },
];
const bypassSteps: Step[] = [
  { step: "before the bypass", redis: isBypass, executes: false, isDone: false },
  { step: "after the bypass", redis: isBypass, executes: true, isDone: false },
];

describe.each(redisKinds)("a process that is killed on %s", (redisKind) => {
  const server = useTestServer(redisKind);
  const verify = (secret: string) => verifyApiKey(server(), secret);
  const inputFor = (id: string, graceSeconds: number) =>
    rotateInput.parse({ id, requestId: randomUUID(), graceSeconds });

  async function crash({ redis, postgres, executes }: Step, env: Record<string, string>): Promise<void> {
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
    const child = spawn(process.execPath, ["--import", "tsx", "tests/support/rotator-process.ts"], {
      env: {
        ...process.env,
        DATABASE_URL: doomed.postgresProxy.url,
        REDIS_URL: doomed.redisProxy.url,
        REDIS_TOKEN: testRedis(redisKind).token,
        ...env,
      },
      stdio: "inherit",
    });
    children.push(child);
    const [, signal] = (await once(child, "exit")) as [number | null, string | null];
    expect({ kills, signal }).toEqual({ kills: 1, signal: "SIGKILL" });
    await doomed.close();
  }

  async function drain(): Promise<void> {
    await server()
      .db.update(cachePurges)
      .set({ nextAttemptAt: sql`clock_timestamp()` });
    await drainPurges(server());
    expect(await server().db.select().from(cachePurges)).toEqual([]);
  }

  async function usedKey() {
    const caller = newCaller();
    const created = await createKeyOf(server(), caller);
    expect(await verify(created.secret)).toMatchObject({ valid: true });
    await server().runDeferred();
    return { caller, ...created };
  }

  it.each([...bypassSteps, ...commitSteps])(
    "while it rotates without a grace, $step: the repeated request ends with one secret that works",
    async (step) => {
      const { caller, key, secret } = await usedKey();
      const input = inputFor(key.id, 0);
      await crash(step, { OWNER_ID: caller.ownerId, ROTATION: JSON.stringify(input) });
      expect((await listApiKeys(server(), caller)).keys[0]?.rotatedAt !== null).toBe(step.isDone);
      if (!step.isDone) expect(await verify(secret)).toMatchObject({ valid: true });
      await drain();
      if (step.isDone) expect(await verify(secret)).toEqual({ valid: false, reason: "revoked" });
      const repeated = await rotateApiKey(server(), caller, input);
      expect(repeated.replaced?.status).toBe("effective");
      expect(await verify(secret)).toEqual({ valid: false, reason: "revoked" });
      expect(await verify(repeated.secret)).toMatchObject({ valid: true, key: { keyId: key.id } });
    },
  );

  it.each(commitSteps)(
    "while it replaces a secret that waits, $step: exactly what is committed holds, and nothing is lost",
    async (step) => {
      const { caller, key, secret } = await usedKey();
      const { secret: waiting } = await rotateApiKey(server(), caller, inputFor(key.id, 300));
      const input = inputFor(key.id, 600);
      await crash(step, { OWNER_ID: caller.ownerId, ROTATION: JSON.stringify(input) });
      const graceSeconds = step.isDone ? 600 : 300;
      expect((await listApiKeys(server(), caller)).keys).toMatchObject([{ rotation: { graceSeconds } }]);
      await drain();
      expect((await verify(waiting)).valid).toBe(!step.isDone);
      expect(await verify(secret)).toMatchObject({ valid: true });
      if (!step.isDone) return;
      const repeated = await rotateApiKey(server(), caller, input);
      expect(await verify(repeated.secret)).toMatchObject({ valid: true });
    },
  );

  it.each(commitSteps)(
    "at the first use of a secret, $step: it is activated or waits, and the old one has an end or none",
    async (step) => {
      const { caller, key, secret } = await usedKey();
      const { secret: waiting } = await rotateApiKey(server(), caller, inputFor(key.id, 300));
      await crash(step, { OWNER_ID: caller.ownerId, ROTATION: "{}", SECRET: waiting });
      const [shown] = (await listApiKeys(server(), caller)).keys;
      expect(shown?.rotation?.state).toBe(step.isDone ? "grace" : "waiting");
      await drain();
      expect(await verify(secret)).toMatchObject({
        valid: true,
        key: { secret: step.isDone ? "previous" : "current" },
      });
      expect(await verify(waiting)).toMatchObject({ valid: true, key: { secret: "current" } });
      const [after] = (await listApiKeys(server(), caller)).keys;
      if (step.isDone) expect(after?.rotation).toEqual(shown?.rotation);
      expect(after?.rotation?.state).toBe("grace");
    },
  );
});
