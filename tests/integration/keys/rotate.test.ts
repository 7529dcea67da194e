import { randomUUID } from "node:crypto";

import { Redis } from "@upstash/redis";
import { eq, sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";

import {
  cancelRotation,
  createApiKey,
  type CreatedApiKey,
  effectOfApiKey,
  endGrace,
  listApiKeys,
  renameApiKey,
  revokeAllApiKeys,
  revokeApiKey,
  revokeSelf,
  rotateApiKey,
  usageOfApiKey,
  verifyApiKey,
  VerificationUnavailableError,
} from "@/server/keys";
import type { Caller } from "@/server/keys/access";
import { hashSecret } from "@/server/keys/secret";
import { closeOwner, setOwnerAccess } from "@/server/owners";
import { drainPurges } from "@/server/outbox/drain";
import { apiKeys, apiKeySecrets, apiKeySecretUses, cachePurges, owners } from "@/server/platform/schema";
import { rotateInput } from "@/server/shared/inputs";
import { asTold, createKeyOf, newCaller, newKeyInput, useTestServer } from "@/tests/support/domain";
import { createGate } from "@/tests/support/gate";
import { redisKinds, testRedis } from "@/tests/support/services";
import { slotKeyOf } from "@/tests/support/slots";

const isPurge = (body: string) => body.includes("'DEL'");
const isCommit = (statement: string) => statement.startsWith("COMMIT");
const revoked = { valid: false, reason: "revoked" };
const current = { valid: true, key: { secret: "current" } };
const previous = { valid: true, key: { secret: "previous" } };
const reused = { code: "API_KEY_REQUEST_REUSED" };
const grace = 3_600;

describe.each(redisKinds)("rotation on %s", (redisKind) => {
  const server = useTestServer(redisKind);
  const redis = new Redis({ ...testRedis(redisKind), automaticDeserialization: false });
  const evict = (secret: string) => redis.del(slotKeyOf(secret));
  const verify = (secret: string) => verifyApiKey(server(), secret);
  const warm = async (secret: string) => {
    const verification = await verify(secret);
    await server().runDeferred();
    return verification;
  };
  const makeDue = () =>
    server()
      .db.update(cachePurges)
      .set({ nextAttemptAt: sql`clock_timestamp()` });
  const inputFor = (id: string, graceSeconds = grace) =>
    rotateInput.parse({ id, graceSeconds, requestId: randomUUID() });
  const rotate = (caller: Caller, { key }: { key: { id: string } }, graceSeconds = grace) =>
    rotateApiKey(server(), caller, inputFor(key.id, graceSeconds));
  const listed = async (caller: Caller) => (await listApiKeys(server(), caller)).keys[0];

  beforeEach(async () => {
    server().redisProxy.decide = () => "pass";
    server().postgresProxy.decide = () => "pass";
    await server().db.delete(cachePurges);
  });

  /** A key whose first secret is in its slot, and a second one that waits. */
  async function waiting(graceSeconds = grace, fields: { expiresInDays?: number } = {}) {
    const caller = newCaller();
    const created = await createKeyOf(server(), caller, fields);
    await warm(created.secret);
    const rotated = await rotate(caller, created, graceSeconds);
    return { caller, key: created.key, old: created.secret, fresh: rotated.secret, rotated };
  }

  /** The same after the first use of the second secret. */
  async function inGrace(graceSeconds = grace, fields: { expiresInDays?: number } = {}) {
    const key = await waiting(graceSeconds, fields);
    expect(await warm(key.fresh)).toMatchObject(current);
    return key;
  }

  /** From now on every purge is refused, as if Redis could not be reached. */
  const refusePurges = () => {
    server().redisProxy.decide = (body) => (isPurge(body) ? "refuse" : "pass");
  };

  describe("planned", () => {
    it("leaves the old secret without an end until the new one is first accepted", async () => {
      const { caller, key, old, rotated } = await waiting();
      expect(rotated.replaced).toBeNull();
      expect(rotated.key).toMatchObject({ id: key.id, display: key.display, rotatedAt: null });
      expect(rotated.key.rotation).toEqual({
        state: "waiting",
        display: `${rotated.secret.slice(0, 12)}…${rotated.secret.slice(-4)}`,
        since: expect.any(Date) as Date,
        graceSeconds: grace,
      });
      server().advance(30 * 86_400_000);
      expect(await verify(old)).toMatchObject({ valid: true, key: { secret: "current", expiresAt: null } });
      server().advance(-30 * 86_400_000);
      expect(await listed(caller)).toEqual(await listed(caller));
      expect((await listed(caller))?.rotation).toEqual(rotated.key.rotation);
    });

    it("makes the new secret current at its first use, and gives the old one its end", async () => {
      const { caller, key, old, fresh } = await inGrace();
      const shown = await listed(caller);
      if (shown?.rotation?.state !== "grace") throw new Error("no grace runs");
      const { endsAt } = shown.rotation;
      expect(shown).toMatchObject({ id: key.id, name: key.name, expiresAt: null });
      expect(shown.display).toBe(`${fresh.slice(0, 12)}…${fresh.slice(-4)}`);
      expect(shown.rotation).toMatchObject({ display: key.display, effect: null });
      expect(endsAt.getTime() - (shown.rotatedAt?.getTime() ?? 0)).toBe(grace * 1_000);
      for (const round of ["read", "cached"]) {
        expect(await warm(old), round).toMatchObject({ valid: true, key: { secret: "previous", expiresAt: endsAt } });
        expect(await warm(fresh), round).toMatchObject({ valid: true, key: { secret: "current", expiresAt: null } });
      }
    });

    it.each(["read", "cached"])("refuses the old secret from its end on, %s, and the new one lives", async (round) => {
      const { caller, old, fresh } = await inGrace();
      if (round === "cached") await warm(old);
      server().advance(grace * 1_000 + 1);
      expect(await warm(old)).toEqual(revoked);
      expect(await verify(old)).toEqual(revoked);
      expect(await verify(fresh)).toMatchObject(current);
      expect((await listed(caller))?.rotation).toBeNull();
      server().advance(-grace * 1_000 - 1);
    });

    it("never lets the old secret outlive its key", async () => {
      const { caller, key, old } = await inGrace(604_800, { expiresInDays: 1 });
      expect((await listed(caller))?.rotation).toMatchObject({ endsAt: key.expiresAt });
      server().advance(86_400_000);
      expect((await verify(old)).valid).toBe(false);
      server().advance(-86_400_000);
    });

    it("the end holds when every purge is lost and the old secret was cached without one", async () => {
      const { old, fresh } = await waiting(300);
      expect(await warm(old)).toMatchObject({ key: { secret: "current", expiresAt: null } });
      refusePurges();
      expect(await verify(fresh)).toMatchObject(current);
      // The value without an end is still there: its life of 60 s must be shorter than the grace.
      expect(await verify(old)).toMatchObject({ key: { expiresAt: null } });
      expect(await redis.pttl(slotKeyOf(old))).toBeLessThan(300_000 - 5_000);
      await evict(old);
      server().advance(300_000);
      expect(await verify(old)).toEqual(revoked);
      server().advance(-300_000);
    });

    it("a late fill of the old secret from before the activation finds its lease gone", async () => {
      const { old, fresh } = await waiting();
      await evict(old);
      expect(await verify(old)).toMatchObject({ key: { expiresAt: null } });
      expect(await verify(fresh)).toMatchObject(current);
      await server().runDeferred();
      expect(await verify(old)).toMatchObject(previous);
    });

    it("two first uses at once activate once, and both are accepted", async () => {
      const { caller, old, fresh } = await waiting();
      let commits = 0;
      let release: () => void = () => undefined;
      const allHaveRead = new Promise<"pass">((resolve) => (release = () => resolve("pass")));
      // None commits before another one waits for its lock, so all have read that the secret waits.
      server().postgresProxy.decide = (statement) => {
        if (!isCommit(statement)) return "pass";
        if (commits++ === 0) void expect.poll(isWaitingForLock).toBe(true).finally(release);
        return allHaveRead;
      };
      const answers = await Promise.all(Array.from({ length: 6 }, () => verify(fresh)));
      for (const answer of answers) expect(answer).toMatchObject(current);
      expect(commits).toBeGreaterThan(1);
      const { rotatedAt, rotation } = (await listed(caller)) ?? {};
      expect(rotation).toMatchObject({ state: "grace" });
      await evict(fresh);
      expect(await verify(fresh)).toMatchObject(current);
      expect(await listed(caller)).toMatchObject({ rotatedAt, rotation });
      expect(await verify(old)).toMatchObject(previous);
    });

    it("never has a secret that waits in a slot, also when its refusal was read with a lease", async () => {
      const { fresh, caller, key } = await waiting();
      await server()
        .db.update(apiKeys)
        .set({ expiresAt: new Date(Date.now() - 1_000) })
        .where(eq(apiKeys.id, key.id.slice(4)));
      expect(await warm(fresh)).toEqual({ valid: false, reason: "expired" });
      expect(await redis.get(slotKeyOf(fresh))).toMatch(/^L:/);
      await evict(fresh);
      await server()
        .db.update(apiKeys)
        .set({ expiresAt: null })
        .where(eq(apiKeys.id, key.id.slice(4)));
      expect((await listed(caller))?.rotation).toMatchObject({ state: "waiting" });
      expect(await verify(fresh)).toMatchObject(current);
    });

    it.each(["break", "break after"] as const)(
      "a first use whose commit fails (%s) has no verdict, and the next one is accepted",
      async (fate) => {
        const { caller, old, fresh } = await waiting();
        server().postgresProxy.decide = (statement) => (isCommit(statement) ? fate : "pass");
        await expect(verify(fresh)).rejects.toThrow(VerificationUnavailableError);
        server().postgresProxy.decide = () => "pass";
        expect((await listed(caller))?.rotation?.state).toBe(fate === "break" ? "waiting" : "grace");
        expect(await verify(fresh)).toMatchObject(current);
        await makeDue();
        await drainPurges(server());
        expect(await verify(old)).toMatchObject(previous);
      },
    );

    it("a first use while the database is down has no verdict", async () => {
      const { old, fresh } = await waiting();
      server().postgresProxy.sever();
      await expect(verify(fresh)).rejects.toThrow(VerificationUnavailableError);
      expect(await verify(old)).toMatchObject(current);
      server().postgresProxy.heal();
      expect(await verify(fresh)).toMatchObject(current);
    });

    it("again replaces the secret that waits, for good, with the new grace", async () => {
      const { caller, key, old, fresh } = await waiting();
      const again = await rotate(caller, { key }, 300);
      expect(again.replaced?.status).toBe("effective");
      expect(again.key.rotation).toMatchObject({ state: "waiting", graceSeconds: 300 });
      expect(await verify(fresh)).toEqual(revoked);
      expect(await verify(old)).toMatchObject(current);
      expect(await verify(again.secret)).toMatchObject(current);
    });

    it("is refused while a grace runs and changes nothing, and allowed after its end", async () => {
      const { caller, key, old, fresh } = await inGrace();
      const before = await listed(caller);
      await expect(rotate(caller, { key })).rejects.toMatchObject({ code: "API_KEY_ROTATING" });
      expect(await listed(caller)).toEqual(before);
      server().advance(grace * 1_000);
      const again = await rotate(caller, { key });
      expect(again.replaced).toBeNull();
      expect(await verify(again.secret)).toMatchObject(current);
      expect(await verify(fresh)).toMatchObject(previous);
      expect(await verify(old)).toEqual(revoked);
      server().advance(-grace * 1_000);
      // Even for a clock that is behind: it was revoked for good when its place was needed.
      expect(await verify(old)).toEqual(revoked);
    });
  });

  describe("now", () => {
    it("accepts the new secret at once and revokes every older one, with the weakest effect", async () => {
      for (const state of [waiting, inGrace]) {
        const { caller, key, old, fresh } = await state();
        await warm(old);
        const now = await rotate(caller, { key }, 0);
        expect(now.replaced?.status).toBe("effective");
        expect(now.key).toMatchObject({
          rotation: null,
          display: `${now.secret.slice(0, 12)}…${now.secret.slice(-4)}`,
        });
        expect(now.key.rotatedAt).toBeInstanceOf(Date);
        for (const dead of [old, fresh]) expect(await verify(dead)).toEqual(revoked);
        expect(await verify(now.secret)).toMatchObject(current);
      }
    });

    it("tells a pending effect until the drain, and shows it until then", async () => {
      const { caller, key, old } = await inGrace();
      await warm(old);
      refusePurges();
      const now = await rotate(caller, { key }, 0);
      if (now.replaced?.status !== "pending") throw new Error("the purge was refused");
      expect(now.key.rotation).toMatchObject({ state: "grace", effect: { status: "pending" } });
      expect((await listed(caller))?.rotation).toMatchObject({ state: "grace", effect: now.replaced });
      server().redisProxy.decide = () => "pass";
      await makeDue();
      await drainPurges(server());
      expect((await listed(caller))?.rotation).toBeNull();
      expect(await verify(old)).toEqual(revoked);
    });
  });

  describe("repeated", () => {
    it("mints another secret in the place of one that waits, and tells of what died", async () => {
      const { caller, key, old } = await waiting();
      await cancelRotation(server(), caller, key);
      const input = inputFor(key.id);
      const lost = await rotateApiKey(server(), caller, input);
      const repeated = await rotateApiKey(server(), caller, input);
      expect(repeated.replaced?.status).toBe("effective");
      expect(await verify(lost.secret)).toEqual(revoked);
      expect(await verify(old)).toMatchObject(current);
      expect(await verify(repeated.secret)).toMatchObject(current);
      await expect(rotateApiKey(server(), caller, input)).rejects.toMatchObject(reused);
    });

    it("without a grace tells the weakest effect of all that died, also in the answer that was lost", async () => {
      const { caller, key, old } = await waiting();
      refusePurges();
      const input = inputFor(key.id, 0);
      const lost = await rotateApiKey(server(), caller, input);
      server().redisProxy.decide = () => "pass";
      await makeDue();
      const oldHash = hashSecret(old).toString("hex");
      server().redisProxy.decide = (body) => (isPurge(body) && body.includes(oldHash) ? "refuse" : "pass");
      const repeated = await rotateApiKey(server(), caller, input);
      // One Redis request purges both, so neither is confirmed. The promise for the one that died last is the later one.
      if (lost.replaced?.status !== "pending" || repeated.replaced?.status !== "pending")
        throw new Error("none is confirmed");
      expect(repeated.replaced.guaranteedBy > lost.replaced.guaranteedBy).toBe(true);
      for (const dead of [old, lost.secret]) expect((await stored(dead))?.state).toBe("revoked");
      expect(await verify(repeated.secret)).toMatchObject(current);
    });

    it("is refused after 10 minutes from its first time, with another input or key, or after a use", async () => {
      const { caller, key } = await waiting();
      const other = await createKeyOf(server(), caller);
      const input = inputFor(key.id);
      await rotateApiKey(server(), caller, input);
      server().advance(400_000);
      const { secret } = await rotateApiKey(server(), caller, input);
      for (const wrong of [{ graceSeconds: 300 }, { graceSeconds: 0 }, { id: other.key.id }])
        await expect(rotateApiKey(server(), caller, { ...input, ...wrong })).rejects.toMatchObject(reused);
      await expect(createApiKey(server(), caller, newKeyInput({ requestId: input.requestId }))).rejects.toMatchObject(
        reused,
      );
      server().advance(200_000);
      await expect(rotateApiKey(server(), caller, input)).rejects.toMatchObject(reused);
      server().advance(-600_000);
      expect(await verify(secret)).toMatchObject(current);
    });

    it.each([
      [
        "in its slot",
        async (secret: string) => {
          await warm(secret);
        },
      ],
      [
        "written",
        async (secret: string) => {
          await warm(secret);
          await server().usage.flush();
          await evict(secret);
        },
      ],
    ])("without a grace is refused after a use that is %s", async (_title, use) => {
      const { caller, key } = await waiting();
      const input = inputFor(key.id, 0);
      const { secret } = await rotateApiKey(server(), caller, input);
      await use(secret);
      await expect(rotateApiKey(server(), caller, input)).rejects.toMatchObject(reused);
      expect(await verify(secret)).toMatchObject(current);
    });

    it("shares its requests with create, whose secret it may have replaced", async () => {
      for (const graceSeconds of [0, grace]) {
        const caller = newCaller();
        const createInput = newKeyInput();
        const created = await createApiKey(server(), caller, createInput);
        const sameRequest = { ...inputFor(created.key.id), requestId: createInput.requestId };
        await expect(rotateApiKey(server(), caller, sameRequest)).rejects.toMatchObject(reused);
        const { secret } = await rotate(caller, created, graceSeconds);
        if (graceSeconds > 0) await verify(secret);
        await expect(createApiKey(server(), caller, createInput)).rejects.toMatchObject(reused);
        expect(await verify(secret)).toMatchObject(current);
      }
    });

    it("at once, exactly one secret waits at the end", async () => {
      const { caller, key } = await waiting();
      const input = inputFor(key.id);
      const answers = await Promise.all(Array.from({ length: 4 }, () => rotateApiKey(server(), caller, input)));
      const states = await Promise.all(answers.map(async ({ secret }) => (await stored(secret))?.state));
      expect(states.toSorted()).toEqual(["revoked", "revoked", "revoked", "waiting"]);
    });

    it.each([grace, 0])(
      "finds out what became of its commit (grace %i), and keeps its secret and receipt",
      async (seconds) => {
        const { caller, key, old } = await waiting();
        let commits = 0;
        server().postgresProxy.decide = (statement) =>
          isCommit(statement) && commits++ === 0 ? "break after" : "pass";
        const rotated = await rotate(caller, { key }, seconds);
        expect(commits).toBe(2);
        expect(rotated.replaced?.status).toBe("effective");
        expect(await verify(rotated.secret)).toMatchObject(current);
        expect(await verify(old)).toMatchObject(seconds === 0 ? revoked : previous);
      },
    );

    it("never makes a hash valid again that a repeated call revoked while the outcome of its own commit was in doubt", async () => {
      const { caller, key } = await waiting();
      const input = inputFor(key.id);
      let commits = 0;
      let repeated: Promise<CreatedApiKey> | undefined;
      server().postgresProxy.decide = (statement) => {
        if (!isCommit(statement) || commits++ > 0) return "pass";
        repeated = rotateApiKey(server(), caller, input);
        return "break after";
      };
      await expect(asTold(rotateApiKey(server(), caller, input))).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN" });
      const { secret } = (await repeated) ?? { secret: "" };
      expect(await verify(secret)).toMatchObject(current);
    });
  });

  const stored = async (secret: string) => {
    const [row] = await server()
      .db.select()
      .from(apiKeySecrets)
      .where(eq(apiKeySecrets.hash, hashSecret(secret)));
    return row;
  };

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

  async function isWaitingForLock(): Promise<boolean> {
    const lock = sql`select from pg_stat_activity
      where datname = current_database() and application_name = 'latchkey' and wait_event_type = 'Lock'`;
    return ((await server().db.execute(lock)).rowCount ?? 0) > 0;
  }

  it("counts uses by secret, and of the key all of them", async () => {
    const { caller, key, old, fresh } = await inGrace();
    server().advance(60_000);
    await verify(old);
    server().advance(60_000);
    await verify(fresh);
    await server().usage.flush();
    // Before the clock goes back: an hour may have begun meanwhile.
    const { last24Hours } = await usageOfApiKey(server(), caller, key);
    server().advance(-120_000);
    const shown = await listed(caller);
    if (shown?.rotation?.state !== "grace") throw new Error("no grace runs");
    const between = (shown.lastUsedAt?.getTime() ?? 0) - (shown.rotation.lastUsedAt?.getTime() ?? 0);
    expect(between).toBeGreaterThanOrEqual(60_000);
    expect(last24Hours.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThanOrEqual(3);
  });

  it("keeps last uses of secrets that could not be written for the next write", async () => {
    const { fresh } = await inGrace();
    await verify(fresh);
    server().postgresProxy.sever();
    await server().usage.flush();
    server().postgresProxy.heal();
    await server().usage.flush();
    expect(await server().db.$count(apiKeySecretUses, eq(apiKeySecretUses.hash, hashSecret(fresh)))).toBe(1);
  });

  it("a hit of either secret costs one Redis request and no query, a first use of a current one two and one", async () => {
    const { old, fresh } = await inGrace();
    await server().usage.flush();
    for (const secret of [old, fresh]) {
      await evict(secret);
      for (const [redisRequests, queries] of [
        [2, 1],
        [1, 0],
      ]) {
        server().redisProxy.requests.length = 0;
        server().postgresProxy.statements.length = 0;
        await warm(secret);
        expect(server().redisProxy.requests).toHaveLength(redisRequests ?? 0);
        expect(server().postgresProxy.statements).toHaveLength(queries ?? 0);
      }
    }
  });

  it("costs no more Redis requests than a creation, and at most two statements more", async () => {
    const costOf = async (act: () => Promise<unknown>) => {
      server().redisProxy.requests.length = 0;
      server().postgresProxy.statements.length = 0;
      await act();
      return { redis: server().redisProxy.requests.length, statements: server().postgresProxy.statements.length };
    };
    const caller = newCaller();
    const input = newKeyInput();
    let id = "";
    const creation = await costOf(async () => (id = (await createApiKey(server(), caller, input)).key.id));
    const rotation = await costOf(() => rotate(caller, { key: { id } }));
    expect(rotation.redis).toBe(creation.redis);
    expect(rotation.statements).toBeLessThanOrEqual(creation.statements + 2);
  });

  it.each([
    ["another planned rotation", (caller: Caller, key: { id: string }) => rotate(caller, { key }), waiting, false],
    ["a rotation now", (caller: Caller, key: { id: string }) => rotate(caller, { key }, 0), waiting, true],
    ["a rotation now", (caller: Caller, key: { id: string }) => rotate(caller, { key }, 0), inGrace, true],
    ["the end of the grace", (caller: Caller, key: { id: string }) => endGrace(server(), caller, key), inGrace, true],
  ] as const)(
    "%s, raced against verifications under lost purges, is final once all purges have arrived",
    async (_name, act, prepare, endsOld) => {
      const { caller, key, old, fresh } = await prepare();
      let purges = 0;
      server().redisProxy.decide = (body) => (isPurge(body) && purges++ % 2 === 0 ? "lose" : "pass");
      let isOver = false;
      let calls = 0;
      const load = [old, fresh, old, fresh].map(async (secret) => {
        while (!isOver) {
          await verify(secret).catch(() => null);
          calls++;
          await server().runDeferred();
        }
      });
      await expect.poll(() => calls).toBeGreaterThan(4);
      // Refused with API_KEY_ROTATING where a use of the waiting secret came first.
      await act(caller, key).catch((fault: unknown) => expect(fault).toMatchObject({ code: "API_KEY_ROTATING" }));
      const calledBefore = calls;
      await expect.poll(() => calls).toBeGreaterThan(calledBefore + 8);
      isOver = true;
      await Promise.all(load);
      server().redisProxy.decide = () => "pass";
      await makeDue();
      await drainPurges(server());
      await server().runDeferred();
      for (const round of ["cached", "read"]) {
        if (endsOld) expect(await warm(old), round).toEqual(revoked);
        else expect(await warm(old), round).toMatchObject({ valid: true });
        const state = (await stored(fresh))?.state;
        if (state === "revoked") expect(await warm(fresh), round).toEqual(revoked);
        else expect(await warm(fresh), round).toMatchObject({ valid: true });
        for (const secret of [old, fresh]) await evict(secret);
      }
    },
  );

  it("never accepts a value that a version before has stored, which knew no end", async () => {
    const { old } = await inGrace();
    await warm(old);
    const value = (await redis.get<string>(slotKeyOf(old))) ?? "";
    const { secret: _secret, endsAt: _endsAt, ...known } = JSON.parse(value.slice(2)) as Record<string, unknown>;
    await redis.set(slotKeyOf(old), `V:${JSON.stringify({ ...known, v: 1 })}`, { px: 60_000 });
    expect(await verify(old)).toMatchObject(previous);
    server().advance(grace * 1_000);
    expect(await verify(old)).toEqual(revoked);
    server().advance(-grace * 1_000);
  });

  describe("security", () => {
    it("is refused in the order of its rules", async () => {
      const { caller, key } = await inGrace();
      const refuses = (who: Caller, id = key.id, input = {}) =>
        expect(rotateApiKey(server(), who, { ...inputFor(id), ...input })).rejects;
      const stranger = newCaller();
      const unknown = "key_01890000-0000-7000-8000-000000000000";
      await refuses({ ...caller, impersonatedBy: "user_support" }, unknown).toMatchObject({ code: "IMPERSONATED" });
      await refuses(stranger).toMatchObject({ code: "API_KEY_NOT_FOUND" });
      await refuses(caller, unknown).toMatchObject({ code: "API_KEY_NOT_FOUND" });
      for (const verb of [cancelRotation, endGrace])
        await expect(verb(server(), stranger, key)).rejects.toMatchObject({ code: "API_KEY_NOT_FOUND" });
      const used = newKeyInput();
      await createApiKey(server(), caller, used);
      await refuses(caller, key.id, { requestId: used.requestId }).toMatchObject(reused);
      await refuses(caller).toMatchObject({ code: "API_KEY_ROTATING" });
      await revokeApiKey(server(), caller, key);
      await refuses(caller, key.id, { requestId: used.requestId }).toMatchObject({ code: "API_KEY_NOT_ACTIVE" });
      await server().db.update(owners).set({ closedAt: new Date() }).where(eq(owners.id, caller.ownerId));
      await refuses(caller).toMatchObject({ code: "API_ACCESS_REQUIRED" });
      await refuses(caller, unknown).toMatchObject({ code: "API_KEY_NOT_FOUND" });
    });

    it("creations and rotations together are limited to 60 a minute", async () => {
      const { caller, key } = await waiting();
      const unknown = "key_01890000-0000-7000-8000-000000000000";
      const codes = new Set<unknown>();
      for (let call = 0; call < 60; call++)
        await rotateApiKey(server(), caller, inputFor(unknown)).catch((fault: unknown) =>
          codes.add((fault as { code: unknown }).code),
        );
      expect([...codes]).toEqual(["API_KEY_NOT_FOUND", "RATE_LIMITED"]);
      await expect(rotate(caller, { key })).rejects.toMatchObject({ code: "RATE_LIMITED" });
      await expect(createKeyOf(server(), caller)).rejects.toMatchObject({ code: "RATE_LIMITED" });
    });
  });
});

describe.each(redisKinds)("rotation with a required feature on %s", (redisKind) => {
  const server = useTestServer(redisKind, { accessFeature: "api_access" });

  it("a secret that waits is refused without access, and not activated by that", async () => {
    const caller = newCaller({ hasAccessClaim: true });
    const created = await createKeyOf(server(), caller);
    const input = rotateInput.parse({ id: created.key.id, requestId: randomUUID(), graceSeconds: 300 });
    const { secret } = await rotateApiKey(server(), caller, input);
    const setAccess = (allowed: boolean) =>
      setOwnerAccess(server(), { ownerId: caller.ownerId, allowed, until: null, at: new Date() });
    await setAccess(false);
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "access_required" });
    await server().runDeferred();
    expect((await listApiKeys(server(), caller)).keys).toMatchObject([{ rotation: { state: "waiting" } }]);
    await expect(rotateApiKey(server(), caller, { ...input, requestId: randomUUID() })).rejects.toMatchObject({
      code: "API_ACCESS_REQUIRED",
    });
    await setAccess(true);
    expect(await verifyApiKey(server(), secret)).toMatchObject(current);
    await setAccess(false);
    for (const either of [secret, created.secret])
      expect(await verifyApiKey(server(), either)).toEqual({ valid: false, reason: "access_required" });
  });
});
