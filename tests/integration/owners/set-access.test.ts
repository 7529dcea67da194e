import { eq } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";

import {
  type Caller,
  createApiKey,
  listApiKeys,
  renameApiKey,
  revokeApiKey,
  revokeSelf,
  verifyApiKey,
} from "@/server/keys";
import { cachePurges, owners } from "@/server/platform/schema";
import { setOwnerAccess } from "@/server/owners";
import { drainPurges } from "@/server/outbox/drain";
import { createKeyOf, newCaller, newKeyInput, useTestServer } from "@/tests/support/domain";
import { redisKinds } from "@/tests/support/services";

const accessRequired = { valid: false, reason: "access_required" };

describe.each(redisKinds)("setOwnerAccess on %s", (redisKind) => {
  const server = useTestServer(redisKind, { accessFeature: "api_access" });
  const start = Date.now();
  const set = (ownerId: string, allowed: boolean, at: number, until: Date | null = null) =>
    setOwnerAccess(server(), { ownerId, allowed, until, at: new Date(start + at) });
  const accessOf = async (ownerId: string) => {
    const [row] = await server().db.select().from(owners).where(eq(owners.id, ownerId));
    return [row?.accessAllowed, row?.accessUntil];
  };
  const verify = async (secret: string) => {
    const verification = await verifyApiKey(server(), secret);
    await server().runDeferred();
    return verification;
  };

  /** A key whose acceptance is in the slot: what follows is judged by the purge, not by a read that would have come anyway. */
  async function warmKeyWithAccess() {
    const caller = newCaller({ hasAccessClaim: true });
    const created = await createKeyOf(server(), caller);
    expect(await verify(created.secret)).toMatchObject({ valid: true });
    return { caller, ...created };
  }

  beforeEach(async () => {
    server().redisProxy.decide = () => "pass";
    await server().redisAnswers();
    server().postgresProxy.decide = () => "pass";
  });

  it("a cached key is refused by the next verification once access lapsed, and accepted by the next once it is back", async () => {
    const { caller, secret } = await warmKeyWithAccess();
    await set(caller.ownerId, false, 1);
    expect(await verify(secret)).toEqual(accessRequired);
    await set(caller.ownerId, true, 2);
    expect(await verify(secret)).toMatchObject({ valid: true });
  });

  it("access that ends at a time ends then, for a cached key too, without another change", async () => {
    const { caller, secret } = await warmKeyWithAccess();
    await set(caller.ownerId, true, 1, new Date(server().now().getTime() + 30_000));
    expect(await verify(secret)).toMatchObject({ valid: true });
    server().advance(30_001);
    try {
      server().postgresProxy.statements.length = 0;
      expect(await verifyApiKey(server(), secret)).toEqual(accessRequired);
      expect(server().postgresProxy.statements).toEqual([]);
      await expect(createKeyOf(server(), caller)).rejects.toMatchObject({ code: "API_ACCESS_REQUIRED" });
    } finally {
      server().advance(-30_001);
    }
  });

  it("without access an owner sees, renames and revokes keys, cannot create, and is told why", async () => {
    const { caller, key, secret } = await warmKeyWithAccess();
    const other = await createKeyOf(server(), caller);
    await set(caller.ownerId, false, 1);
    expect(await listApiKeys(server(), caller)).toMatchObject({
      keys: [{ status: "active" }, { status: "active" }],
      access: { allowed: false },
    });
    expect(await renameApiKey(server(), caller, { id: key.id, name: "Renamed" })).toMatchObject({ name: "Renamed" });
    await expect(createKeyOf(server(), caller)).rejects.toMatchObject({
      code: "API_ACCESS_REQUIRED",
      message: "Your plan does not include API access.",
    });
    expect((await revokeApiKey(server(), caller, key)).effect.status).toBe("effective");
    expect(await revokeSelf(server(), other.secret)).toMatchObject({ status: "effective" });
    await set(caller.ownerId, true, 2);
    for (const revoked of [secret, other.secret])
      expect(await verify(revoked)).toEqual({ valid: false, reason: "revoked" });
  });

  it("takes one transaction, and one purge of all living keys; none where nothing has changed", async () => {
    const { caller, key, secret } = await warmKeyWithAccess();
    const second = await createKeyOf(server(), caller);
    await revokeApiKey(server(), caller, key);
    const cost = async (allowed: boolean, at: number) => {
      server().redisProxy.requests.length = 0;
      server().postgresProxy.statements.length = 0;
      await set(caller.ownerId, allowed, at);
      const transactions = server().postgresProxy.statements.filter((statement) => statement.startsWith("BEGIN"));
      return [transactions.length, server().redisProxy.requests.length];
    };
    expect(await cost(false, 1)).toEqual([1, 1]);
    expect(await cost(false, 2)).toEqual([1, 0]);
    expect(await cost(true, 1)).toEqual([1, 0]);
    expect(await verify(second.secret)).toEqual(accessRequired);
    expect(await verify(secret)).toEqual({ valid: false, reason: "revoked" });
  });

  it("a purge that Redis did not confirm stays in the outbox, and the drain makes the change count", async () => {
    const { caller, secret } = await warmKeyWithAccess();
    server().redisProxy.decide = (body) => (body.includes("'DEL'") ? "refuse" : "pass");
    await set(caller.ownerId, false, 1);
    server().redisProxy.decide = () => "pass";
    expect(await verify(secret)).toMatchObject({ valid: true });
    await server()
      .db.update(cachePurges)
      .set({ nextAttemptAt: new Date(0) });
    expect(await drainPurges(server())).toEqual({ confirmed: 1, failed: 0 });
    expect(await verify(secret)).toEqual(accessRequired);
  });

  it("purges although the connection died while the change was committed", async () => {
    const { caller, secret } = await warmKeyWithAccess();
    let commits = 0;
    server().postgresProxy.decide = (statement) =>
      statement.startsWith("COMMIT") && commits++ === 0 ? "break after" : "pass";
    await set(caller.ownerId, false, 1);
    expect(await verify(secret)).toEqual(accessRequired);
  });

  describe("in any order", () => {
    const statements = [
      { allowed: true, at: 1 },
      { allowed: false, at: 2 },
      { allowed: true, at: 3 },
      { allowed: false, at: 4 },
    ];
    const permute = <T>(items: T[]): T[][] =>
      items.length < 2
        ? [items]
        : items.flatMap((item, at) => permute(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));

    it("the newest statement wins, each of them sent twice", async () => {
      for (const order of permute(statements)) {
        const { ownerId } = newCaller();
        for (const { allowed, at } of [...order, ...order]) await set(ownerId, allowed, at);
        expect(await accessOf(ownerId)).toEqual([false, null]);
      }
    });

    it("the newest statement wins when all come at once", async () => {
      const { ownerId } = newCaller();
      await Promise.all(statements.map(({ allowed, at }) => set(ownerId, allowed, at)));
      expect(await accessOf(ownerId)).toEqual([false, null]);
    });
  });

  describe("security", () => {
    const tryToCreate = (caller: Caller) => createApiKey(server(), caller, newKeyInput());

    it("a session from before the lapse grants nothing, and leaves the row as it is", async () => {
      const caller = newCaller({ hasAccessClaim: true });
      await set(caller.ownerId, false, 1);
      await expect(tryToCreate(caller)).rejects.toMatchObject({ code: "API_ACCESS_REQUIRED" });
      expect(await accessOf(caller.ownerId)).toEqual([false, null]);
    });

    it("what a session claimed of an owner nobody had determined gives way to the first statement, however old", async () => {
      const { caller, secret } = await warmKeyWithAccess();
      expect(await accessOf(caller.ownerId)).toEqual([true, null]);
      await set(caller.ownerId, false, -1_000_000);
      expect(await verify(secret)).toEqual(accessRequired);
    });

    it("one owner's change does not touch another's keys", async () => {
      const [mine, theirs] = [await warmKeyWithAccess(), await warmKeyWithAccess()];
      server().redisProxy.requests.length = 0;
      await set(theirs.caller.ownerId, false, 1);
      expect(server().redisProxy.requests.join()).not.toContain(mine.caller.ownerId);
      server().postgresProxy.statements.length = 0;
      expect(await verify(mine.secret)).toMatchObject({ valid: true });
      expect(server().postgresProxy.statements.filter((statement) => statement.includes("api_keys"))).toEqual([]);
    });
  });
});
