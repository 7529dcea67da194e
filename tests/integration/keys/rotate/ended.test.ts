import { eq } from "drizzle-orm";
import { describe, expect, it } from "vitest";

import {
  type Caller,
  cancelRotation,
  effectOfApiKey,
  endGrace,
  renameApiKey,
  revokeAllApiKeys,
  revokeApiKey,
  revokeSelf,
} from "@/server/keys";
import { hashSecret } from "@/server/keys/secret";
import { drainPurges } from "@/server/outbox/drain";
import { closeOwner } from "@/server/owners";
import { apiKeys } from "@/server/platform/schema";
import { createKeyOf, newCaller } from "@/tests/support/domain";
import { createGate } from "@/tests/support/gate";
import { redisKinds } from "@/tests/support/services";

import { current, grace, isCommit, isPurge, previous, revoked, useRotatingKeys } from "./rotating-keys";

describe.each(redisKinds)("rotation on %s", (redisKind) => {
  const { server, evict, verify, warm, makeDue, rotate, listed, waiting, inGrace, refusePurges, isWaitingForLock } =
    useRotatingKeys(redisKind);

  describe("cancelRotation", () => {
    it("revokes the secret that waits, with a receipt, and changes nothing else", async () => {
      const { caller, key, old, fresh } = await waiting();
      const { key: shown, effect } = await cancelRotation(server(), caller, key);
      expect(effect?.status).toBe("effective");
      expect(shown).toMatchObject({ rotation: null, display: key.display });
      expect(await verify(fresh)).toEqual(revoked);
      expect(await verify(old)).toMatchObject(current);
      expect(await cancelRotation(server(), caller, key)).toMatchObject({ effect: null });
    });

    it("has nothing to cancel in a grace", async () => {
      const { caller, key, old } = await inGrace();
      expect(await cancelRotation(server(), caller, key)).toMatchObject({
        effect: null,
        key: { rotation: { state: "grace" } },
      });
      expect(await verify(old)).toMatchObject(previous);
    });

    it("of a secret that is just being activated: either it was cancelled, or it is current", async () => {
      const { caller, key, old, fresh } = await waiting();
      const [verification, { effect }] = await Promise.all([verify(fresh), cancelRotation(server(), caller, key)]);
      expect(verification.valid).toBe(effect === null);
      expect((await verify(fresh)).valid).toBe(effect === null);
      expect(await verify(old)).toMatchObject({ valid: true });
    });
  });

  describe("endGrace", () => {
    it("revokes the old secret now, with a receipt that is stored and shown until it is effective", async () => {
      const { caller, key, old, fresh } = await inGrace();
      await warm(old);
      refusePurges();
      const { key: shown, effect } = await endGrace(server(), caller, key);
      expect(effect?.status).toBe("pending");
      expect(shown.rotation).toMatchObject({ state: "grace", effect });
      expect((await listed(caller))?.rotation).toMatchObject({ state: "grace", display: key.display, effect });
      expect(await renameApiKey(server(), caller, { id: key.id, name: "Renamed" })).toMatchObject({
        rotation: { effect },
      });
      server().redisProxy.decide = () => "pass";
      await makeDue();
      await drainPurges(server());
      expect((await listed(caller))?.rotation).toBeNull();
      expect(await verify(old)).toEqual(revoked);
      expect(await verify(fresh)).toMatchObject(current);
    });

    it("has nothing to end after the end, nor without a rotation, and is refused while the new secret waits", async () => {
      const { caller, key, old } = await waiting();
      await expect(endGrace(server(), caller, key)).rejects.toMatchObject({ code: "API_KEY_ROTATING" });
      expect(await verify(old)).toMatchObject(current);
      const other = await inGrace();
      server().advance(grace * 1_000);
      expect(await endGrace(server(), other.caller, other.key)).toMatchObject({ effect: null });
      server().advance(-grace * 1_000);
      const plain = newCaller();
      const created = await createKeyOf(server(), plain);
      expect(await endGrace(server(), plain, created.key)).toMatchObject({ effect: null, key: { rotation: null } });
    });

    it("answers with a receipt, though the first answer of its commit was lost", async () => {
      const { caller, key, old } = await inGrace();
      let commits = 0;
      server().postgresProxy.decide = (statement) => (isCommit(statement) && commits++ === 0 ? "break after" : "pass");
      expect((await endGrace(server(), caller, key)).effect?.status).toBe("effective");
      expect(await verify(old)).toEqual(revoked);
    });
  });

  describe.each([
    ["a secret waits", waiting],
    ["a grace runs", inGrace],
  ])("while %s", (_title, prepare) => {
    const bothWarm = async () => {
      const key = await prepare();
      await warm(key.old);
      if (prepare === inGrace) await warm(key.fresh);
      return key;
    };
    const ends = [
      ["a revocation", (caller: Caller, key: { id: string }) => revokeApiKey(server(), caller, key)],
      ["a revocation of all", (caller: Caller) => revokeAllApiKeys(server(), caller)],
      [
        "the end of the account",
        ({ ownerId }: Caller) => closeOwner(server(), { ownerId, at: new Date(), reason: "deleted" }),
      ],
      ["its own revocation", (_caller: Caller, _key: { id: string }, secret: string) => revokeSelf(server(), secret)],
    ] as const;

    it.each(ends)("%s ends both secrets, and no other way brings one back", async (_name, end) => {
      const { caller, key, old, fresh } = await bothWarm();
      await end(caller, key, prepare === waiting ? old : fresh);
      expect(await effectOfApiKey(server(), caller, key)).toMatchObject({ status: "effective" });
      for (const secret of [old, fresh]) {
        expect(await verify(secret)).toEqual(revoked);
        await evict(secret);
        expect(await warm(secret)).toEqual(revoked);
      }
      expect(await listed(caller)).toMatchObject({ status: "revoked", rotation: null });
    });

    it.each(ends)("%s is pending until both slots are purged", async (_name, end) => {
      const { caller, key, old, fresh } = await bothWarm();
      const hex = hashSecret(old).toString("hex");
      server().redisProxy.decide = (body) => (isPurge(body) && body.includes(hex) ? "refuse" : "pass");
      await end(caller, key, prepare === waiting ? old : fresh);
      expect(await effectOfApiKey(server(), caller, key)).toMatchObject({ status: "pending" });
      server().redisProxy.decide = () => "pass";
      await makeDue();
      await drainPurges(server());
      expect(await effectOfApiKey(server(), caller, key)).toMatchObject({ status: "effective" });
      for (const secret of [old, fresh]) expect(await verify(secret)).toEqual(revoked);
    });

    it.each(ends)("%s, raced against verifications of both secrets, is final for what it ends", async (_name, end) => {
      const { caller, key, old, fresh } = await bothWarm();
      let isEnded = false;
      let isOver = false;
      const late: { secret: string; valid: boolean }[] = [];
      const load = [old, fresh, old, fresh].map(async (secret) => {
        while (!isOver) {
          const isLate = isEnded;
          const { valid } = await verify(secret).catch(() => ({ valid: false }));
          if (isLate) late.push({ secret, valid });
          await server().runDeferred();
        }
      });
      await end(caller, key, prepare === waiting ? old : fresh);
      isEnded = true;
      await expect.poll(() => late.length).toBeGreaterThan(20);
      isOver = true;
      await Promise.all(load);
      // A use of the new secret that came before makes the old one a previous one, which ends alone.
      const isWhole = (await listed(caller))?.status === "revoked";
      if (end !== ends[3][1]) expect(isWhole).toBe(true);
      for (const { secret, valid } of late) if (isWhole || secret === old) expect(valid).toBe(false);
    });

    it("a rename reaches both", async () => {
      const { caller, key, old, fresh } = await bothWarm();
      await renameApiKey(server(), caller, { id: key.id, name: "Renamed" });
      for (const secret of [old, fresh])
        expect(await verify(secret)).toMatchObject({ valid: true, key: { name: "Renamed" } });
    });

    it("the expiry ends both", async () => {
      const { caller, key, old, fresh } = await bothWarm();
      await server()
        .db.update(apiKeys)
        .set({ expiresAt: new Date(Date.now() - 1_000) })
        .where(eq(apiKeys.id, key.id.slice(4)));
      for (const secret of [old, fresh]) {
        await evict(secret);
        expect(await verify(secret)).toEqual({ valid: false, reason: "expired" });
      }
      await expect(rotate(caller, { key }, 0)).rejects.toMatchObject({ code: "API_KEY_NOT_ACTIVE" });
    });

    it("a revocation costs one lookup, one transaction, two Redis requests and the recording statement", async () => {
      const { caller, key } = await bothWarm();
      server().redisProxy.requests.length = 0;
      server().postgresProxy.statements.length = 0;
      await revokeApiKey(server(), caller, key);
      expect(server().redisProxy.requests).toHaveLength(2);
      const { statements } = server().postgresProxy;
      expect(statements.filter((statement) => statement.startsWith("BEGIN"))).toHaveLength(1);
      const commit = statements.findIndex(isCommit);
      const begin = statements.findIndex((statement) => statement.startsWith("BEGIN"));
      expect({ before: begin, after: statements.length - commit - 1 }).toEqual({ before: 1, after: 1 });
    });
  });

  describe("what dies is what was shown", () => {
    it("a previous or a waiting secret that revokes itself dies alone", async () => {
      const grace_ = await inGrace();
      await warm(grace_.old);
      expect((await revokeSelf(server(), grace_.old))?.status).toBe("effective");
      expect(await verify(grace_.old)).toEqual(revoked);
      expect(await verify(grace_.fresh)).toMatchObject(current);
      const wait = await waiting();
      const effect = await revokeSelf(server(), wait.fresh);
      expect(effect?.status).toBe("effective");
      expect(await revokeSelf(server(), wait.fresh)).toEqual(effect);
      expect(await verify(wait.fresh)).toEqual(revoked);
      expect(await verify(wait.old)).toMatchObject(current);
    });

    it("one that has ended by time answers with its end, effective, and changes nothing", async () => {
      const { caller, old } = await inGrace();
      const shown = await listed(caller);
      if (shown?.rotation?.state !== "grace") throw new Error("no grace runs");
      server().advance(grace * 1_000);
      const ended = { status: "effective", at: shown.rotation.endsAt };
      expect(await revokeSelf(server(), old)).toEqual(ended);
      expect(await listed(caller)).toMatchObject({ status: "active" });
      // Also when the next rotation has needed its place.
      await rotate(caller, { key: shown });
      expect(await revokeSelf(server(), old)).toEqual(ended);
      server().advance(-grace * 1_000);
    });

    it("the current secret that is replaced while it revokes itself dies alone", async () => {
      const { caller, key, old } = await waiting();
      const gate = createGate();
      const arrival = createGate();
      server().postgresProxy.decide = (statement) => {
        if (!isCommit(statement)) return "pass";
        arrival.open();
        return gate.opened;
      };
      const rotation = rotate(caller, { key }, 0);
      await arrival.opened;
      server().postgresProxy.decide = () => "pass";
      const revocation = revokeSelf(server(), old);
      await expect.poll(isWaitingForLock).toBe(true);
      gate.open();
      const { secret } = await rotation;
      expect((await revocation)?.status).toBe("effective");
      expect(await verify(secret)).toMatchObject(current);
    });
  });
});
