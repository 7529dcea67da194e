import { randomUUID } from "node:crypto";

import { describe, expect, it } from "vitest";

import { effectOfApiKey, rotateApiKey, verifyApiKey } from "@/server/keys";
import { rotateInput } from "@/server/shared/inputs";

import { createKeyOf, newCaller, useTestServer } from "../support/domain";
import { bypassSteps, commitSteps, crash, drainAll } from "../support/doomed-process";
import { recordedActions } from "../support/recorded-events";
import { redisWays } from "../support/services";

describe.each(redisWays)("a process that is killed while it revokes, on %s", (redisKind) => {
  const server = useTestServer(redisKind);

  it.each([...bypassSteps, ...commitSteps])("$step: the promise holds, and nothing is lost", async (step) => {
    const { isDone: isRevoked } = step;
    const caller = newCaller();
    const { key, secret } = await createKeyOf(server(), caller);
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    await server().runDeferred();
    await crash(server(), redisKind, step, { do: "revoke", ownerId: caller.ownerId, id: key.id });

    // What a commit has promised is carried out by any other instance; what was not committed has not happened.
    const before = await effectOfApiKey(server(), caller, key);
    expect(before === null).toBe(!isRevoked);
    await drainAll(server());
    const after = await effectOfApiKey(server(), caller, key);
    expect(after?.status).toBe(isRevoked ? "effective" : undefined);
    if (before?.status === "effective") expect(after).toEqual(before);
    expect((await verifyApiKey(server(), secret)).valid).toBe(!isRevoked);
    // The history tells the same: all of it, and each act once.
    const acts = isRevoked ? ["key.created", "key.revoked", "key.revocation_effective"] : ["key.created"];
    expect(await recordedActions(server().db, caller.ownerId)).toEqual(acts);
  });
});

describe.each(redisWays)("a process that is killed while it carries out a report, on %s", (redisKind) => {
  const server = useTestServer(redisKind);

  it.each(commitSteps)("$step: the key ends with the commit or not at all, and once", async (step) => {
    const { isDone } = step;
    const caller = newCaller();
    const { key, secret } = await createKeyOf(server(), caller);
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    await server().runDeferred();
    await crash(server(), redisKind, step, { do: "report", token: secret });

    await drainAll(server());
    expect((await effectOfApiKey(server(), caller, key))?.status).toBe(isDone ? "effective" : undefined);
    expect((await verifyApiKey(server(), secret)).valid).toBe(!isDone);
    const acts = ["key.created", "key.exposed", "key.revoked", "key.revocation_effective"];
    expect(await recordedActions(server().db, caller.ownerId)).toEqual(isDone ? acts : acts.slice(0, 1));
  });

  it.each(commitSteps)("$step: an old secret ends alone, or not at all", async (step) => {
    const { isDone } = step;
    const caller = newCaller();
    const { key, secret: old } = await createKeyOf(server(), caller);
    const input = rotateInput.parse({ id: key.id, requestId: randomUUID(), graceSeconds: 3_600 });
    const { secret } = await rotateApiKey(server(), caller, input);
    for (const one of [old, secret, old]) expect(await verifyApiKey(server(), one)).toMatchObject({ valid: true });
    await server().runDeferred();
    await crash(server(), redisKind, step, { do: "report", token: old });

    await drainAll(server());
    expect((await verifyApiKey(server(), old)).valid).toBe(!isDone);
    expect((await verifyApiKey(server(), secret)).valid).toBe(true);
    const acts = ["key.created", "key.rotation_started", "key.rotated", "key.exposed", "key.grace_ended"];
    expect(await recordedActions(server().db, caller.ownerId)).toEqual(isDone ? acts : acts.slice(0, 3));
  });
});
