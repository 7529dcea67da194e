import { Redis } from "@upstash/redis";
import { beforeEach, describe, expect, it } from "vitest";

import { invalidateCache, limitInvalidations, revokeApiKey, verifyApiKey } from "@/server/keys";
import { hashSecret, mintSecret } from "@/server/keys/secret";
import { cachePurges } from "@/server/platform/schema";
import { asTold, createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { redisKinds, testRedis } from "@/tests/support/services";
import { slotKeyOf } from "@/tests/support/slots";
import { youngMinute } from "@/tests/support/young-minute";

describe.each(redisKinds)("invalidateCache on %s", (redisKind) => {
  const server = useTestServer(redisKind);
  const hashOf = (secret: string) => hashSecret(secret).toString("hex");
  const slot = (secret: string) => new Redis(testRedis(redisKind)).exists(slotKeyOf(secret));
  const queued = () => server().db.$count(cachePurges);
  const isPurge = (body: string) => body.includes("'DEL'");

  beforeEach(async () => {
    server().redisProxy.decide = () => "pass";
    await server().redisAnswers();
    server().postgresProxy.heal();
    await server().db.delete(cachePurges);
  });

  async function cachedKey() {
    const caller = newCaller();
    const created = await createKeyOf(server(), caller);
    await verifyApiKey(server(), created.secret);
    await server().runDeferred();
    expect(await slot(created.secret)).toBe(1);
    return { caller, ...created };
  }

  it("discards the cached copy of an own key, which goes on working", async () => {
    const { caller, secret } = await cachedKey();
    const answer = await invalidateCache(server(), caller, { keyHash: hashOf(secret) });
    expect(answer).toMatchObject({ ok: true, effect: { status: "effective" } });
    expect(await slot(secret)).toBe(0);
    expect(await queued()).toBe(0);
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
  });

  it("leaves an own key's purge queued, and says pending, when Redis does not confirm it", async () => {
    const { caller, secret } = await cachedKey();
    server().redisProxy.decide = (body) => (isPurge(body) ? "refuse" : "pass");
    const { effect } = await invalidateCache(server(), caller, { keyHash: hashOf(secret) });
    expect(effect.status).toBe("pending");
    expect(await queued()).toBe(1);
  });

  it("purges an unknown hash all the same, without a row in the outbox", async () => {
    const secret = mintSecret({ prefix: "lk", environment: "test" });
    await new Redis(testRedis(redisKind)).set(slotKeyOf(secret), "left over");
    expect((await invalidateCache(server(), newCaller(), { keyHash: hashOf(secret) })).ok).toBe(true);
    expect(await slot(secret)).toBe(0);
    expect(await queued()).toBe(0);
  });

  it("does not bring a revoked key back", async () => {
    const { caller, key, secret } = await cachedKey();
    await revokeApiKey(server(), caller, key);
    await invalidateCache(server(), caller, { keyHash: hashOf(secret) });
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "revoked" });
  });

  it("allows 60 calls a minute a user, and does not count them against another", async () => {
    const caller = newCaller();
    await youngMinute();
    for (let call = 0; call < 60; call++) await limitInvalidations(server(), caller);
    await expect(limitInvalidations(server(), caller)).rejects.toMatchObject({ code: "RATE_LIMITED" });
    await limitInvalidations(server(), newCaller());
  });

  describe("security", () => {
    it("refuses another owner's hash and leaves the slot alone", async () => {
      const { secret } = await cachedKey();
      const call = invalidateCache(server(), newCaller(), { keyHash: hashOf(secret) });
      await expect(call).rejects.toMatchObject({ code: "API_KEY_NOT_OWNED" });
      expect(await slot(secret)).toBe(1);
    });

    it("deletes nothing when ownership cannot be checked", async () => {
      const { caller, secret } = await cachedKey();
      server().postgresProxy.sever();
      const call = invalidateCache(server(), caller, { keyHash: hashOf(secret) });
      await expect(asTold(call)).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE" });
      expect(await slot(secret)).toBe(1);
    });
  });
});
