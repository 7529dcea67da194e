import { randomUUID } from "node:crypto";

import { describe, expect, it } from "vitest";

import { listApiKeys, rotateApiKey, verifyApiKey } from "@/server/keys";
import { rotateInput } from "@/server/shared/inputs";

import { createKeyOf, newCaller, useTestServer } from "../support/domain";
import { bypassSteps, commitSteps, crash, drainAll } from "../support/doomed-process";
import { redisWays } from "../support/services";

describe.each(redisWays)("a process that is killed on %s", (redisKind) => {
  const server = useTestServer(redisKind);
  const verify = (secret: string) => verifyApiKey(server(), secret);
  const inputFor = (id: string, graceSeconds: number) =>
    rotateInput.parse({ id, requestId: randomUUID(), graceSeconds });

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
      await crash(server(), redisKind, step, { do: "rotate", ownerId: caller.ownerId, input });
      expect((await listApiKeys(server(), caller)).keys[0]?.rotatedAt !== null).toBe(step.isDone);
      if (!step.isDone) expect(await verify(secret)).toMatchObject({ valid: true });
      await drainAll(server());
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
      await crash(server(), redisKind, step, { do: "rotate", ownerId: caller.ownerId, input });
      const graceSeconds = step.isDone ? 600 : 300;
      expect((await listApiKeys(server(), caller)).keys).toMatchObject([{ rotation: { graceSeconds } }]);
      await drainAll(server());
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
      await crash(server(), redisKind, step, { do: "verify", secret: waiting });
      const [shown] = (await listApiKeys(server(), caller)).keys;
      expect(shown?.rotation?.state).toBe(step.isDone ? "grace" : "waiting");
      await drainAll(server());
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
