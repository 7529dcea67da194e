import { randomUUID } from "node:crypto";

import { Redis } from "@upstash/redis";
import { eq } from "drizzle-orm";
import { describe, expect, it } from "vitest";

import { VerificationUnavailableError, verifyApiKey } from "@/server/keys";
import { hashSecret, mintSecret } from "@/server/keys/secret";
import { apiKeys, owners } from "@/server/platform/schema";
import { createGate } from "@/tests/support/gate";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { redisKinds, testRedis } from "@/tests/support/services";
import { slotKeyOf } from "@/tests/support/slots";

describe.each(redisKinds)("verifyApiKey on %s", (redisKind) => {
  const server = useTestServer(redisKind);
  const rawRedis = () => new Redis({ ...testRedis(redisKind), automaticDeserialization: false });

  async function warmKey() {
    const caller = newCaller();
    const created = await createKeyOf(server(), caller);
    await verifyApiKey(server(), created.secret);
    await server().runDeferred();
    return { caller, ...created };
  }

  it("accepts a new key and tells whose it is", async () => {
    const caller = newCaller();
    const { key, secret } = await createKeyOf(server(), caller, { name: "CI" });
    const verification = await verifyApiKey(server(), secret);
    expect(verification).toMatchObject({ valid: true, key: { keyId: key.id, ownerId: caller.ownerId, name: "CI" } });
  });

  it("costs one Redis request and no query on a hit, two and one on a miss, none for a malformed key", async () => {
    const { secret } = await createKeyOf(server(), newCaller());
    // Whatever an earlier verification has deferred, the write of uses among it, is not this one's cost.
    await server().usage.flush();
    await server().runDeferred();
    const cost = async (work: () => Promise<unknown>) => {
      server().redisProxy.requests.length = 0;
      server().postgresProxy.statements.length = 0;
      await work();
      await server().runDeferred();
      return [server().redisProxy.requests.length, server().postgresProxy.statements.length];
    };
    expect(await cost(() => verifyApiKey(server(), secret))).toEqual([2, 1]);
    expect(await cost(() => verifyApiKey(server(), secret))).toEqual([1, 0]);
    expect(await cost(() => verifyApiKey(server(), secret.slice(0, -1)))).toEqual([0, 0]);
    expect(await cost(() => verifyApiKey(server(), "lk_test_x"))).toEqual([0, 0]);
  });

  it("asks the database once for an unknown key that is repeated, and caches nothing for it", async () => {
    const secret = mintSecret({ prefix: "lk", environment: "test" });
    server().postgresProxy.statements.length = 0;
    for (let call = 0; call < 3; call++)
      expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "unknown" });
    await server().runDeferred();
    expect(server().postgresProxy.statements).toHaveLength(1);
    expect(String(await rawRedis().get(slotKeyOf(secret)))).not.toMatch(/^[VT]/);
  });

  it("refuses the other environment's keys without any I/O", async () => {
    server().redisProxy.requests.length = 0;
    const live = mintSecret({ prefix: "lk", environment: "live" });
    expect(await verifyApiKey(server(), live)).toEqual({ valid: false, reason: "malformed" });
    expect(server().redisProxy.requests).toHaveLength(0);
  });

  it("judges the expiry of a cached value by the clock of the hit", async () => {
    const { secret } = await createKeyOf(server(), newCaller(), { expiresInDays: 1 });
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    await server().runDeferred();
    server().postgresProxy.statements.length = 0;
    server().advance(86_400_000);
    try {
      expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "expired" });
      expect(server().postgresProxy.statements).toHaveLength(0);
    } finally {
      server().advance(-86_400_000);
    }
  });

  it("never lets a value outlive its lease by more than 60 seconds, however often it is used", async () => {
    const { secret } = await warmKey();
    const expiry = () => rawRedis().eval("return redis.call('PEXPIRETIME', KEYS[1])", [slotKeyOf(secret)], []);
    const before = Number(await expiry());
    for (let use = 0; use < 5; use++) await verifyApiKey(server(), secret);
    expect(Number(await expiry())).toBe(before);
    expect(before - Date.now()).toBeLessThanOrEqual(60_000);
  });

  describe("security", () => {
    it("does not let a value be copied to another key's slot", async () => {
      const victim = await warmKey();
      const attacker = await createKeyOf(server(), newCaller());
      await rawRedis().set(slotKeyOf(attacker.secret), String(await rawRedis().get(slotKeyOf(victim.secret))));
      expect(await verifyApiKey(server(), attacker.secret)).toMatchObject({
        valid: true,
        key: { keyId: attacker.key.id },
      });
    });

    it.each([
      "",
      "null",
      "{}",
      "V:null",
      "V:{}",
      'V:{"userId":"victim"}',
      "V:[]",
      "V:1",
      "V:{",
      "X:1",
      "T",
      "M",
      "L:",
      "123",
    ])("asks the database when the slot holds %j", async (value) => {
      const { secret, key, caller } = await warmKey();
      await rawRedis().set(slotKeyOf(secret), value);
      const expected = { valid: true, key: { keyId: key.id, ownerId: caller.ownerId } };
      expect(await verifyApiKey(server(), secret)).toMatchObject(expected);
    });

    it("asks the database when a field is missing, even if Object.prototype was polluted with it", async () => {
      const { secret, caller } = await warmKey();
      const stored = JSON.parse(String(await rawRedis().get(slotKeyOf(secret))).slice(2)) as Record<string, unknown>;
      delete stored.ownerId;
      await rawRedis().set(slotKeyOf(secret), `V:${JSON.stringify(stored)}`);
      const prototype = Object.prototype as { ownerId?: string };
      prototype.ownerId = "user_victim";
      try {
        const verification = await verifyApiKey(server(), secret);
        expect(verification.valid && verification.key.ownerId).toBe(caller.ownerId);
      } finally {
        delete prototype.ownerId;
      }
    });

    it("asks the database when the slot is of another Redis type", async () => {
      const { secret } = await warmKey();
      await rawRedis().del(slotKeyOf(secret));
      await rawRedis().hset(slotKeyOf(secret), { a: "b" });
      expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    });

    it("lets nobody fill a slot without the very lease that it holds", async () => {
      const { secret } = await createKeyOf(server(), newCaller());
      const hash = hashSecret(secret);
      const first = await server().slots.read(hash);
      if (first.kind !== "leased") throw new Error(`expected a lease, got ${first.kind}`);
      expect(await server().slots.read(hash)).toEqual({ kind: "ask" });
      expect(await server().slots.fill(hash, `${first.lease}0`, "revoked")).toBe(false);
      expect(await server().slots.fill(hash, first.lease, "revoked")).toBe(true);
      expect(await server().slots.fill(hash, first.lease, "revoked")).toBe(false);
    });

    it("refuses a key whose owner was closed", async () => {
      const { secret, caller } = await warmKey();
      await rawRedis().del(slotKeyOf(secret));
      await server().db.update(owners).set({ closedAt: new Date() }).where(eq(owners.id, caller.ownerId));
      expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "revoked" });
    });

    it("does not cache a negative answer that an outage caused", async () => {
      const { secret } = await createKeyOf(server(), newCaller());
      server().postgresProxy.sever();
      await expect(verifyApiKey(server(), secret)).rejects.toThrow(VerificationUnavailableError);
      server().postgresProxy.heal();
      expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    });
  });

  it("decides by the database while Redis refuses, answers 500, or answers 200 with nothing", async () => {
    const { secret, key } = await createKeyOf(server(), newCaller());
    for (const fate of ["refuse", { status: 500, body: "{}" }, { status: 200, body: '{"result":null}' }] as const) {
      server().redisProxy.decide = () => fate;
      expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true, key: { keyId: key.id } });
      await server().runDeferred();
    }
    server().redisProxy.decide = () => "pass";
    await server().redisAnswers();
    await server()
      .db.update(apiKeys)
      .set({ revokedAt: new Date() })
      .where(eq(apiKeys.id, key.id.slice(4)));
    server().redisProxy.decide = () => "refuse";
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "revoked" });
    server().redisProxy.decide = () => "pass";
    await server().redisAnswers();
  });

  it("says that it does not know when neither Redis nor the database answers", async () => {
    const { secret } = await createKeyOf(server(), newCaller());
    server().redisProxy.decide = () => "refuse";
    server().postgresProxy.sever();
    await expect(verifyApiKey(server(), secret)).rejects.toThrow(VerificationUnavailableError);
    server().postgresProxy.heal();
    server().redisProxy.decide = () => "pass";
    await server().redisAnswers();
  });

  it("serves a burst of verifications that all miss", async () => {
    const caller = newCaller();
    const keys = await Promise.all(Array.from({ length: 5 }, () => createKeyOf(server(), caller)));
    const calls = Array.from({ length: 200 }, (_, at) => verifyApiKey(server(), keys[at % 5]?.secret ?? ""));
    expect((await Promise.all(calls)).filter((verification) => !verification.valid)).toEqual([]);
  });

  it("serves a warm key while the database is down", async () => {
    const { secret } = await warmKey();
    server().postgresProxy.sever();
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    server().postgresProxy.heal();
  });

  it("refuses further database reads at once when too many are under way, and verifies again afterwards", async () => {
    const gate = createGate();
    server().postgresProxy.decide = () => gate.opened;
    const secrets = Array.from({ length: 600 }, () => mintSecret({ prefix: "lk", environment: "test" }));
    const calls = secrets.map((secret) => verifyApiKey(server(), secret));
    const refused = await Promise.race(
      calls.map((call) =>
        call.then(
          () => null,
          (error: unknown) => error,
        ),
      ),
    );
    expect(refused).toBeInstanceOf(VerificationUnavailableError);
    server().postgresProxy.decide = () => "pass";
    gate.open();
    const settled = await Promise.allSettled(calls);
    expect(settled.some((call) => call.status === "fulfilled")).toBe(true);
    expect(settled.every((call) => call.status === "rejected" || !call.value.valid)).toBe(true);
    const { secret } = await createKeyOf(server(), newCaller());
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
  });
});

describe("verifyApiKey with a required feature", () => {
  const server = useTestServer("embedded", { accessFeature: "api_access" });

  it("judges access on every hit, and accepts again when it returns", async () => {
    const caller = newCaller({ hasAccessClaim: true });
    const { secret } = await createKeyOf(server(), caller);
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    const soon = new Date(server().now().getTime() + 60_000);
    await server().db.update(owners).set({ accessUntil: soon }).where(eq(owners.id, caller.ownerId));
    await new Redis({ ...testRedis("embedded") }).del(slotKeyOf(secret));
    await server().runDeferred();
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    await server().runDeferred();
    server().advance(60_000);
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "access_required" });
    server().advance(-60_000);
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
  });

  it("does not grant access to an owner for whom it was never determined", async () => {
    const ownerId = `user_${randomUUID()}`;
    const caller = newCaller({ ownerId, hasAccessClaim: true });
    const { secret } = await createKeyOf(server(), caller);
    await server().db.update(owners).set({ accessAllowed: null }).where(eq(owners.id, ownerId));
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "access_required" });
  });
});
