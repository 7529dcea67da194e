import { eq } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";

import { listApiKeys, renameApiKey, revokeAllApiKeys, revokeApiKey, verifyApiKey } from "@/server/keys";
import { hashSecret } from "@/server/keys/secret";
import { cachePurges, owners } from "@/server/platform/schema";
import { closeOwner, reopenOwner, setOwnerAccess } from "@/server/owners";
import { asTold, createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { createGate } from "@/tests/support/gate";
import { createWarmKey } from "@/tests/support/server-instance";
import { redisKinds } from "@/tests/support/services";

const refused = { code: "API_ACCESS_REQUIRED" };
const isPurge = (body: string) => body.includes("'DEL'");
const isOwnerLock = (statement: string) => statement.startsWith('insert into "latchkey"."owners"');

describe.each(redisKinds)("closing an owner on %s", (redisKind) => {
  const server = useTestServer(redisKind, { keyLimit: 100 });
  const now = () => server().now().getTime();
  const banned = (ownerId: string, at: number) => ({ ownerId, at: new Date(at), reason: "banned" as const });
  const deleted = (ownerId: string, at: number) => ({ ownerId, at: new Date(at), reason: "deleted" as const });
  const open = (ownerId: string, at: number) => ({ ownerId, at: new Date(at) });
  const activeKeys = async (ownerId: string) =>
    (await listApiKeys(server(), newCaller({ ownerId }))).keys.filter((key) => key.status === "active").length;

  beforeEach(async () => {
    server().redisProxy.decide = () => "pass";
    await server().redisAnswers();
    server().postgresProxy.decide = () => "pass";
  });

  it("revokes every key at once, for the reason of the account, and says from when on", async () => {
    const { caller, secret } = await createWarmKey(server());
    const second = await createKeyOf(server(), caller);
    const own = await createKeyOf(server(), caller);
    await revokeApiKey(server(), caller, own.key);
    expect(await closeOwner(server(), deleted(caller.ownerId, now()))).toMatchObject({ status: "effective" });
    for (const refusedSecret of [secret, second.secret])
      expect(await verifyApiKey(server(), refusedSecret)).toEqual({ valid: false, reason: "revoked" });
    const { keys } = await listApiKeys(server(), caller);
    expect(keys.map(({ revokedBy }) => revokedBy).toSorted()).toEqual(["account", "account", "owner"]);
    await expect(createKeyOf(server(), caller)).rejects.toMatchObject(refused);
  });

  it("costs one lookup, one transaction and two Redis requests, however many keys there are", async () => {
    const { caller } = await createWarmKey(server());
    for (let at = 0; at < 4; at++) await createKeyOf(server(), caller);
    server().redisProxy.requests.length = 0;
    server().postgresProxy.statements.length = 0;
    await closeOwner(server(), banned(caller.ownerId, now()));
    expect(server().redisProxy.requests).toHaveLength(2);
    const { statements } = server().postgresProxy;
    expect(statements.filter((statement) => statement.startsWith("BEGIN"))).toHaveLength(1);
    expect([statements[0], statements.at(-2), statements.at(-1)]).toEqual([
      expect.stringMatching(/^select/),
      expect.stringMatching(/^COMMIT/),
      expect.stringContaining("latchkey.record_confirmed"),
    ]);
  });

  it("closes an owner who was never seen before: a session that is still good creates nothing", async () => {
    const caller = newCaller();
    server().redisProxy.requests.length = 0;
    expect(await closeOwner(server(), deleted(caller.ownerId, now()))).toBeNull();
    expect(server().redisProxy.requests).toHaveLength(0);
    await expect(createKeyOf(server(), caller)).rejects.toMatchObject(refused);
  });

  it("leaves other owners alone", async () => {
    const { secret } = await createWarmKey(server());
    const { caller } = await createWarmKey(server());
    await closeOwner(server(), deleted(caller.ownerId, now()));
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
  });

  it("is pending while Redis does not confirm; repeated, it is effective, and there is nothing left to do", async () => {
    const { caller, secret } = await createWarmKey(server());
    server().redisProxy.decide = (body) => (isPurge(body) ? "refuse" : "pass");
    expect(await closeOwner(server(), banned(caller.ownerId, now()))).toMatchObject({ status: "pending" });
    server().redisProxy.decide = () => "pass";
    expect(await closeOwner(server(), banned(caller.ownerId, now()))).toMatchObject({ status: "effective" });
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "revoked" });
    expect(await server().db.$count(cachePurges, eq(cachePurges.hash, hashSecret(secret)))).toBe(0);
    expect(await closeOwner(server(), banned(caller.ownerId, now()))).toBeNull();
  });

  it("finds out whether a commit went through when the connection dies while committing", async () => {
    const { caller, secret } = await createWarmKey(server());
    let commits = 0;
    server().postgresProxy.decide = (statement) =>
      statement.startsWith("COMMIT") && commits++ === 0 ? "break after" : "pass";
    expect(await closeOwner(server(), banned(caller.ownerId, now()))).toMatchObject({ status: "effective" });
    expect(commits).toBe(2);
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "revoked" });
  });

  it("closes nothing and revokes nothing when the transaction fails", async () => {
    const { caller, secret } = await createWarmKey(server());
    server().postgresProxy.decide = (statement) =>
      statement.includes("latchkey.revoke_keys") ? "break after" : "pass";
    await expect(asTold(closeOwner(server(), banned(caller.ownerId, now())))).rejects.toMatchObject({
      code: "SERVICE_UNAVAILABLE",
    });
    server().postgresProxy.decide = () => "pass";
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    await createKeyOf(server(), caller);
  });

  describe("while keys are created", () => {
    it("waits for a create that is committing, and revokes its key", async () => {
      const caller = newCaller();
      const [commit, closing] = [createGate(), createGate()];
      let locks = 0;
      let commits = 0;
      server().postgresProxy.decide = (statement) => {
        if (isOwnerLock(statement) && ++locks === 2) closing.open();
        return statement.startsWith("COMMIT") && commits++ === 0 ? commit.opened : "pass";
      };
      const creating = createKeyOf(server(), caller);
      // The create stands before its commit. Now the closing asks for the owner, and only then does the create go on.
      await expect.poll(() => commits).toBe(1);
      const closed = closeOwner(server(), deleted(caller.ownerId, now()));
      await closing.opened;
      commit.open();
      const { secret } = await creating;
      expect(await closed).toMatchObject({ status: "effective" });
      expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "revoked" });
    });

    it("makes a create that comes while it commits wait, and refuses it", async () => {
      const caller = newCaller();
      const [commit, creating] = [createGate(), createGate()];
      let locks = 0;
      let commits = 0;
      server().postgresProxy.decide = (statement) => {
        if (isOwnerLock(statement) && ++locks === 2) creating.open();
        return statement.startsWith("COMMIT") && commits++ === 0 ? commit.opened : "pass";
      };
      const closed = closeOwner(server(), deleted(caller.ownerId, now()));
      await expect.poll(() => commits).toBe(1);
      const created = createKeyOf(server(), caller).catch((error: unknown) => error);
      await creating.opened;
      commit.open();
      await closed;
      expect(await created).toMatchObject(refused);
    });

    it("leaves no active key, whatever ran at the same time, and nothing waits for each other in a circle", async () => {
      const { caller, key, secret } = await createWarmKey(server());
      const other = await createKeyOf(server(), caller);
      const { ownerId } = caller;
      const calls: Promise<unknown>[] = [];
      for (let at = 0; at < 8; at++) {
        calls.push(
          createKeyOf(server(), caller),
          renameApiKey(server(), caller, { id: other.key.id, name: `Name ${at}` }),
          setOwnerAccess(server(), { ownerId, allowed: at % 2 === 0, until: null, at: new Date(now() + at) }),
          verifyApiKey(server(), secret),
        );
        if (at === 3) calls.push(closeOwner(server(), deleted(ownerId, now())), revokeApiKey(server(), caller, key));
        if (at === 5) calls.push(closeOwner(server(), deleted(ownerId, now())), revokeAllApiKeys(server(), caller));
      }
      const results = await Promise.allSettled(calls);
      for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject(refused);
      await server().runDeferred();
      expect(await activeKeys(ownerId)).toBe(0);
      const created = results.flatMap(({ status, ...rest }) =>
        status === "fulfilled" ? [(rest as { value: { secret?: string } | null }).value?.secret ?? []].flat() : [],
      );
      for (const dead of [secret, other.secret, ...created])
        expect(await verifyApiKey(server(), dead)).toEqual({ valid: false, reason: "revoked" });
    });
  });

  describe("and reopening it", () => {
    it("lets a banned owner create again; what was revoked stays revoked", async () => {
      const { caller, secret } = await createWarmKey(server());
      await closeOwner(server(), banned(caller.ownerId, now()));
      await reopenOwner(server(), open(caller.ownerId, now() + 1));
      const fresh = await createKeyOf(server(), caller);
      expect(await verifyApiKey(server(), fresh.secret)).toMatchObject({ valid: true });
      expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "revoked" });
    });

    it.each([
      ["before the ban", -1],
      ["at the moment of the ban", 0],
    ])("changes nothing by a statement from %s", async (_title, difference) => {
      const caller = newCaller();
      const at = now();
      await closeOwner(server(), banned(caller.ownerId, at));
      await reopenOwner(server(), open(caller.ownerId, at + difference));
      await expect(createKeyOf(server(), caller)).rejects.toMatchObject(refused);
    });

    it("changes nothing by a repeated statement, once the owner was banned again", async () => {
      const caller = newCaller();
      const at = now();
      await closeOwner(server(), banned(caller.ownerId, at));
      await reopenOwner(server(), open(caller.ownerId, at + 1));
      await closeOwner(server(), banned(caller.ownerId, at + 2));
      await reopenOwner(server(), open(caller.ownerId, at + 1));
      await expect(createKeyOf(server(), caller)).rejects.toMatchObject(refused);
    });

    it("never opens a deleted account, whenever that is said and whatever bans came in between", async () => {
      const caller = newCaller();
      const at = now();
      await reopenOwner(server(), open(caller.ownerId, at + 10));
      await closeOwner(server(), deleted(caller.ownerId, at));
      await closeOwner(server(), banned(caller.ownerId, at + 20));
      await reopenOwner(server(), open(caller.ownerId, at + 30));
      await expect(createKeyOf(server(), caller)).rejects.toMatchObject(refused);
      const [row] = await server().db.select().from(owners).where(eq(owners.id, caller.ownerId));
      expect(row).toMatchObject({ closedReason: "deleted" });
    });

    it("ends as the newest statement says when bans and their liftings come at once", async () => {
      const at = now();
      for (let round = 0; round < 10; round++) {
        const [opened, closed] = [newCaller(), newCaller()];
        for (const { ownerId } of [opened, closed]) await reopenOwner(server(), open(ownerId, at - 1));
        await Promise.all([
          closeOwner(server(), banned(opened.ownerId, at)),
          reopenOwner(server(), open(opened.ownerId, at + 3)),
          closeOwner(server(), banned(opened.ownerId, at + 2)),
          reopenOwner(server(), open(closed.ownerId, at)),
          closeOwner(server(), banned(closed.ownerId, at + 2)),
          reopenOwner(server(), open(closed.ownerId, at + 1)),
        ]);
        await createKeyOf(server(), opened);
        await expect(createKeyOf(server(), closed)).rejects.toMatchObject(refused);
      }
    });

    it("a ban that arrives after its own lifting, or once more, kills the keys from before it and no others", async () => {
      const caller = newCaller();
      const before = await createKeyOf(server(), caller);
      const at = now() + 1_000;
      server().advance(2_000);
      try {
        const after = await createKeyOf(server(), caller);
        await reopenOwner(server(), open(caller.ownerId, at + 500));
        for (let time = 0; time < 2; time++) await closeOwner(server(), banned(caller.ownerId, at));
        expect(await verifyApiKey(server(), before.secret)).toEqual({ valid: false, reason: "revoked" });
        expect(await verifyApiKey(server(), after.secret)).toMatchObject({ valid: true });
        await createKeyOf(server(), caller);
      } finally {
        server().advance(-2_000);
      }
    });
  });
});
