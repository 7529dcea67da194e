import { eq } from "drizzle-orm";
import { describe, expect, it } from "vitest";

import { type Caller, endGrace, VerificationUnavailableError } from "@/server/keys";
import { drainPurges } from "@/server/outbox/drain";
import { apiKeys } from "@/server/platform/schema";
import { redisKinds } from "@/tests/support/services";
import { slotKeyOf } from "@/tests/support/slots";

import { current, grace, isCommit, isPurge, previous, revoked, useRotatingKeys } from "./rotating-keys";

describe.each(redisKinds)("rotation on %s", (redisKind) => {
  const {
    server,
    redis,
    evict,
    verify,
    warm,
    makeDue,
    rotate,
    listed,
    waiting,
    inGrace,
    refusePurges,
    stored,
    isWaitingForLock,
  } = useRotatingKeys(redisKind);

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
});
