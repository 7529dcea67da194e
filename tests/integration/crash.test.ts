import { describe, expect, it } from "vitest";

import { effectOfApiKey, verifyApiKey } from "@/server/keys";

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
