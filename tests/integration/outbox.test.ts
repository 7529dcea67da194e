import { randomBytes } from "node:crypto";

import { eq, sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";

import { effectOfApiKey, invalidateCache, listApiKeys, renameApiKey, revokeApiKey, verifyApiKey } from "@/server/keys";
import { hashSecret } from "@/server/keys/secret";
import { apiKeys, apiKeySecrets, cachePurges } from "@/server/platform/schema";
import { drainPurges } from "@/server/outbox/drain";
import { enqueuePurges } from "@/server/outbox/queue";
import { settlePurges } from "@/server/outbox/settle";

import { createGate } from "../support/gate";
import { createKeyOf, newCaller, startTestServer, useTestServer } from "../support/domain";
import { redisKinds } from "../support/services";

const isProbe = (body: string) => body.includes("0".repeat(64));
const isPurge = (body: string) => body.includes("'DEL'") && !isProbe(body);

describe.each(redisKinds)("the outbox on %s", (redisKind) => {
  const server = useTestServer(redisKind);
  const queued = () => server().db.select().from(cachePurges);
  const makeDue = () =>
    server()
      .db.update(cachePurges)
      .set({ nextAttemptAt: sql`clock_timestamp()` });

  beforeEach(async () => {
    server().redisProxy.decide = () => "pass";
    await server().redisAnswers();
    await server().db.delete(cachePurges);
  });

  async function pendingRevocation() {
    const caller = newCaller();
    const { key, secret } = await createKeyOf(server(), caller);
    server().redisProxy.decide = (body) => (isPurge(body) ? "refuse" : "pass");
    const { effect } = await revokeApiKey(server(), caller, key);
    expect(effect.status).toBe("pending");
    server().redisProxy.decide = () => "pass";
    return { caller, key, secret };
  }

  it("a pending revocation becomes effective by the drain, and stays so", async () => {
    const { caller, key, secret } = await pendingRevocation();
    await makeDue();
    expect(await drainPurges(server())).toEqual({ confirmed: 1, failed: 0 });
    const effect = await effectOfApiKey(server(), caller, key);
    expect(effect?.status).toBe("effective");
    expect(await effectOfApiKey(server(), caller, key)).toEqual(effect);
    expect((await listApiKeys(server(), caller)).keys[0]?.effect).toEqual(effect);
    expect(await queued()).toEqual([]);
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "revoked" });
  });

  it("a drain that Redis does not confirm is no success, and the next one that it confirms is", async () => {
    const instance = await startTestServer(redisKind, server().postgresProxy.url);
    const lastDrain = () => instance.metrics.read().lastDrainSeconds;
    await pendingRevocation();
    await makeDue();
    instance.redisProxy.decide = () => "refuse";
    expect(await drainPurges(instance)).toEqual({ confirmed: 0, failed: 1 });
    expect(lastDrain()).toBeNull();
    instance.redisProxy.decide = () => "pass";
    expect(await drainPurges(instance)).toEqual({ confirmed: 1, failed: 0 });
    expect(lastDrain()).toEqual(expect.any(Number));
    await instance.close();
  });

  it("a purge is claimed by one of several instances that drain at once", async () => {
    for (let at = 0; at < 5; at++) await pendingRevocation();
    await makeDue();
    const second = await startTestServer(redisKind, server().postgresProxy.url);
    server().redisProxy.requests.length = 0;
    const totals = await Promise.all([drainPurges(server()), drainPurges(second), drainPurges(server())]);
    await second.close();
    expect(totals.reduce((sum, total) => sum + total.confirmed, 0)).toBe(5);
    expect(await queued()).toEqual([]);
  });

  it("a purge that is asked for again while an older one is confirmed is not lost", async () => {
    const { caller, key } = await pendingRevocation();
    await makeDue();
    const gate = createGate();
    const arrival = createGate();
    server().redisProxy.decide = (body) => {
      if (!isPurge(body)) return "pass";
      arrival.open();
      return gate.opened;
    };
    const drain = drainPurges(server());
    await arrival.opened;
    server().redisProxy.decide = (body) => (isPurge(body) ? "refuse" : "pass");
    await revokeApiKey(server(), caller, key);
    gate.open();
    await drain;
    expect(await queued()).toMatchObject([{ generation: 2 }]);
  });

  it("a pending revocation turns effective also when another call's purge of its hash is confirmed first", async () => {
    const { caller, key, secret } = await pendingRevocation();
    const keyHash = hashSecret(secret).toString("hex");
    expect((await invalidateCache(server(), caller, { keyHash })).effect.status).toBe("effective");
    expect(await queued()).toEqual([]);
    const effect = await effectOfApiKey(server(), caller, key);
    expect(effect?.status).toBe("effective");
    expect(await effectOfApiKey(server(), caller, key)).toEqual(effect);
    expect((await listApiKeys(server(), caller)).keys[0]?.effect).toEqual(effect);
  });

  it("a revocation whose purges are confirmed one by one, by different calls, turns effective with the last", async () => {
    const { caller, key } = await pendingRevocation();
    const [own] = await queued();
    const lost = { keyId: own?.keyId ?? "", hash: randomBytes(32), revokedAt: new Date() };
    const { ownerId } = caller;
    await server()
      .db.insert(apiKeySecrets)
      .values({ ...lost, ownerId, display: "lk_test_lost", state: "revoked", createdAt: new Date() });
    const { purges: older } = await enqueuePurges(server().db, { hashes: [lost.hash], target: "revoked" });
    const settle = async (purges: typeof older) => settlePurges(server(), { purges, revoked: new Map() });
    await settle(own ? [own] : []);
    expect((await effectOfApiKey(server(), caller, key))?.status).toBe("pending");
    await settle(older);
    expect((await effectOfApiKey(server(), caller, key))?.status).toBe("effective");
  });

  it("a rename reaches a warm slot through the same path", async () => {
    const caller = newCaller();
    const { key, secret } = await createKeyOf(server(), caller, { name: "Old" });
    await verifyApiKey(server(), secret);
    await server().runDeferred();
    await renameApiKey(server(), caller, { id: key.id, name: "New" });
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true, key: { name: "New" } });
    expect(await queued()).toEqual([]);
  });

  it("a rename whose purge failed is carried out by the drain, and the key goes on working meanwhile", async () => {
    const caller = newCaller();
    const { key, secret } = await createKeyOf(server(), caller, { name: "Old" });
    await verifyApiKey(server(), secret);
    await server().runDeferred();
    server().redisProxy.decide = (body) => (isPurge(body) ? "refuse" : "pass");
    await renameApiKey(server(), caller, { id: key.id, name: "New" });
    server().redisProxy.decide = () => "pass";
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true, key: { name: "Old" } });
    await makeDue();
    await drainPurges(server());
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true, key: { name: "New" } });
    const [row] = await server()
      .db.select()
      .from(apiKeys)
      .where(eq(apiKeys.id, key.id.slice(4)));
    expect(row?.effectiveAt).toBeNull();
  });
});
