import { randomBytes, randomUUID } from "node:crypto";

import { Redis } from "@upstash/redis";
import { eq, sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";

import {
  type Caller,
  createApiKey,
  type CreatedApiKey,
  invalidateCache,
  listApiKeys,
  renameApiKey,
  revokeAllApiKeys,
  revokeApiKey,
  revokeSelf,
  verifyApiKey,
} from "@/server/keys";
import { hashSecret } from "@/server/keys/secret";
import { closeOwner, setOwnerAccess } from "@/server/owners";
import { drainPurges } from "@/server/outbox/drain";
import { apiKeySecrets, cachePurges } from "@/server/platform/schema";
import { createKeyOf, newCaller, newKeyInput, useTestServer } from "@/tests/support/domain";
import { createGate } from "@/tests/support/gate";
import { redisKinds, testRedis } from "@/tests/support/services";
import { slotKeyOf } from "@/tests/support/slots";

const isPurge = (body: string) => body.includes("'DEL'");
const revoked = { valid: false, reason: "revoked" };

describe.each(redisKinds)("the secrets of a key on %s", (redisKind) => {
  const server = useTestServer(redisKind);
  const evict = (secret: string) => new Redis(testRedis(redisKind)).del(slotKeyOf(secret));
  const queued = (secret: string) => server().db.$count(cachePurges, eq(cachePurges.hash, hashSecret(secret)));
  const makeDue = () =>
    server()
      .db.update(cachePurges)
      .set({ nextAttemptAt: sql`clock_timestamp()` });
  const stored = async (secret: string) => {
    const [row] = await server()
      .db.select()
      .from(apiKeySecrets)
      .where(eq(apiKeySecrets.hash, hashSecret(secret)));
    return row;
  };

  beforeEach(async () => {
    server().redisProxy.decide = () => "pass";
    await server().redisAnswers();
    server().postgresProxy.decide = () => "pass";
    await server().db.delete(cachePurges);
  });

  /** A key whose first secret was lost with its answer, and replaced. */
  async function retriedCreate(fate: "pass" | "refuse" = "pass") {
    const caller = newCaller();
    const input = newKeyInput();
    const lost = await createApiKey(server(), caller, input);
    server().redisProxy.decide = (body) => (isPurge(body) ? fate : "pass");
    const retried = await createApiKey(server(), caller, input);
    server().redisProxy.decide = () => "pass";
    return { caller, input, lost, retried, ...retried };
  }

  it("a replaced one stays known as revoked, after its purge was confirmed and nothing of it is queued or cached", async () => {
    const { lost, secret, replaced } = await retriedCreate();
    expect(replaced?.status).toBe("effective");
    expect(await queued(lost.secret)).toBe(0);
    await evict(lost.secret);
    expect(await verifyApiKey(server(), lost.secret)).toEqual(revoked);
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
  });

  it("a replaced one has a receipt that is stored and stays the same", async () => {
    const { lost, replaced } = await retriedCreate("refuse");
    if (replaced?.status !== "pending") throw new Error("the purge was refused");
    expect(await stored(lost.secret)).toMatchObject({ effectiveAt: null, guaranteedBy: replaced.guaranteedBy });
    expect(await revokeSelf(server(), lost.secret)).toEqual(replaced);
    await makeDue();
    expect(await drainPurges(server())).toEqual({ confirmed: 1, failed: 0 });
    const effect = await revokeSelf(server(), lost.secret);
    if (effect?.status !== "effective") throw new Error("the purge was confirmed");
    expect(await stored(lost.secret)).toMatchObject({ effectiveAt: effect.at });
    expect(await revokeSelf(server(), lost.secret)).toEqual(effect);
  });

  it("a receipt that was told as effective is the stored one, whatever is purged later", async () => {
    const { caller, lost, key, replaced } = await retriedCreate();
    if (replaced?.status !== "effective") throw new Error("the purge was confirmed");
    expect(await stored(lost.secret)).toMatchObject({ effectiveAt: replaced.at });
    await invalidateCache(server(), caller, { keyHash: hashSecret(lost.secret).toString("hex") });
    await revokeApiKey(server(), caller, key);
    expect(await revokeSelf(server(), lost.secret)).toEqual(replaced);
  });

  it("the key shows its current one, renamed, revoked or listed", async () => {
    const { caller, lost, key, secret } = await retriedCreate();
    const display = `${secret.slice(0, 12)}…${secret.slice(-4)}`;
    expect(key.display).toBe(display);
    expect(lost.key.display).not.toBe(display);
    expect(await renameApiKey(server(), caller, { id: key.id, name: "Renamed" })).toMatchObject({ display });
    expect((await revokeApiKey(server(), caller, key)).key).toMatchObject({ display });
    expect((await listApiKeys(server(), caller)).keys).toMatchObject([{ display }]);
  });

  it("a revocation purges those that Redis has not confirmed, and no other", async () => {
    const { caller, input, lost, key, secret } = await retriedCreate();
    server().redisProxy.decide = (body) => (isPurge(body) ? "refuse" : "pass");
    const again = await createApiKey(server(), caller, input);
    server().redisProxy.decide = () => "pass";
    server().redisProxy.requests.length = 0;
    expect((await revokeApiKey(server(), caller, key)).effect.status).toBe("effective");
    expect(server().redisProxy.requests).toHaveLength(2);
    for (const request of server().redisProxy.requests) {
      for (const dying of [secret, again.secret]) expect(request).toContain(hashSecret(dying).toString("hex"));
      expect(request).not.toContain(hashSecret(lost.secret).toString("hex"));
    }
    for (const dead of [lost, { secret }, again]) expect(await verifyApiKey(server(), dead.secret)).toEqual(revoked);
  });

  it.each([
    ["of the key", (caller: Caller, { key }: CreatedApiKey) => revokeApiKey(server(), caller, key)],
    ["of all keys", (caller: Caller) => revokeAllApiKeys(server(), caller)],
    ["by the key itself", (_caller: Caller, { secret }: CreatedApiKey) => revokeSelf(server(), secret)],
  ])("a revocation %s that waits for a retried create ends the secret that this one adds", async (_title, revoke) => {
    const caller = newCaller();
    const input = newKeyInput();
    const lost = await createApiKey(server(), caller, input);
    const gate = createGate();
    const arrival = createGate();
    server().postgresProxy.decide = (statement) => {
      if (!statement.startsWith("COMMIT")) return "pass";
      arrival.open();
      return gate.opened;
    };
    const retry = createApiKey(server(), caller, input);
    await arrival.opened;
    server().postgresProxy.decide = () => "pass";
    const revocation = revoke(caller, lost);
    await expect.poll(isWaitingForLock).toBe(true);
    gate.open();
    const { secret } = await retry;
    await revocation;
    expect(server().redisProxy.requests.at(-1)).toContain(hashSecret(secret).toString("hex"));
    expect(await verifyApiKey(server(), secret)).toEqual(revoked);
    expect(await server().db.select().from(cachePurges)).toEqual([]);
  });

  async function isWaitingForLock(): Promise<boolean> {
    const waiting = sql`select from pg_stat_activity
      where datname = current_database() and application_name = 'latchkey' and wait_event_type = 'Lock'`;
    return (await server().db.execute(waiting)).rowCount === 1;
  }

  it("every way to end or change a key reaches the current one after a retry, also in a warm slot", async () => {
    const warm = async () => {
      const created = await retriedCreate();
      expect(await verifyApiKey(server(), created.secret)).toMatchObject({ valid: true });
      await server().runDeferred();
      return created;
    };
    const renamed = await warm();
    await renameApiKey(server(), renamed.caller, { id: renamed.key.id, name: "Renamed" });
    await setOwnerAccess(server(), { ownerId: renamed.caller.ownerId, allowed: true, until: null, at: new Date() });
    expect(await verifyApiKey(server(), renamed.secret)).toMatchObject({ valid: true, key: { name: "Renamed" } });
    const closed = await warm();
    await closeOwner(server(), { ownerId: closed.caller.ownerId, at: new Date(), reason: "deleted" });
    expect(await verifyApiKey(server(), closed.secret)).toEqual(revoked);
    const self = await warm();
    expect((await revokeSelf(server(), self.secret))?.status).toBe("effective");
    expect(await verifyApiKey(server(), self.secret)).toEqual(revoked);
  });

  describe("security", () => {
    it("whoever holds a replaced one cannot end the key with it", async () => {
      const { caller, lost, secret, replaced } = await retriedCreate();
      expect(await revokeSelf(server(), lost.secret)).toEqual(replaced);
      expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
      expect((await listApiKeys(server(), caller)).keys).toMatchObject([{ status: "active" }]);
    });

    it("a replaced one is still its owner's: another cannot discard what is cached of it", async () => {
      const { caller, lost } = await retriedCreate();
      const keyHash = hashSecret(lost.secret).toString("hex");
      const stranger = invalidateCache(server(), newCaller(), { keyHash });
      await expect(stranger).rejects.toMatchObject({ code: "API_KEY_NOT_OWNED" });
      expect(await invalidateCache(server(), caller, { keyHash })).toMatchObject({ effect: { status: "effective" } });
      expect(await verifyApiKey(server(), lost.secret)).toEqual(revoked);
    });
  });
});

describe("the table of secrets", () => {
  const server = useTestServer("embedded");

  const secretOf = ({ key }: CreatedApiKey, ownerId: string): typeof apiKeySecrets.$inferInsert => ({
    hash: randomBytes(32),
    keyId: key.id.slice(4),
    ownerId,
    display: "lk_test_Ab3d…9xYz",
    state: "waiting",
    graceSeconds: 300,
    endsAt: new Date(),
    createdAt: new Date(),
  });
  const insert = (secret: typeof apiKeySecrets.$inferInsert) => server().db.insert(apiKeySecrets).values(secret);
  const refusedBy = (constraint: string) => ({ cause: { constraint } });

  it.each(["current", "waiting", "previous"] as const)("cannot hold two %s secrets of one key", async (state) => {
    const caller = newCaller();
    const key = await createKeyOf(server(), caller);
    if (state !== "current") await insert({ ...secretOf(key, caller.ownerId), state });
    const second = insert({ ...secretOf(key, caller.ownerId), state });
    await expect(second).rejects.toMatchObject(refusedBy("api_key_secrets_one_of_a_state"));
    const other = await createKeyOf(server(), caller);
    if (state !== "current") await insert({ ...secretOf(other, caller.ownerId), state });
  });

  it("cannot hold a secret that waits without its grace, nor a previous one without its end", async () => {
    const caller = newCaller();
    const key = await createKeyOf(server(), caller);
    const secret = secretOf(key, caller.ownerId);
    const waiting = insert({ ...secret, graceSeconds: null });
    await expect(waiting).rejects.toMatchObject(refusedBy("api_key_secrets_waiting"));
    const previous = insert({ ...secret, state: "previous", endsAt: null });
    await expect(previous).rejects.toMatchObject(refusedBy("api_key_secrets_previous"));
  });

  it("holds any number of revoked secrets of one key, and no hash twice", async () => {
    const caller = newCaller();
    const key = await createKeyOf(server(), caller);
    const dead = { state: "revoked" as const, revokedAt: new Date() };
    for (let at = 0; at < 3; at++) await insert({ ...secretOf(key, caller.ownerId), ...dead });
    const again = insert({ ...secretOf(key, caller.ownerId), hash: hashSecret(key.secret), ...dead });
    await expect(again).rejects.toMatchObject(refusedBy("api_key_secrets_pkey"));
  });

  it("cannot hold a revoked secret without its time, nor a time of one that is not revoked", async () => {
    const caller = newCaller();
    const key = await createKeyOf(server(), caller);
    for (const wrong of [{ state: "revoked" as const }, { revokedAt: new Date() }])
      await expect(insert({ ...secretOf(key, caller.ownerId), ...wrong })).rejects.toMatchObject(
        refusedBy("api_key_secrets_revoked"),
      );
  });

  it("cannot hold one request of an owner twice, whatever keys its secrets are of", async () => {
    const caller = newCaller();
    const [key, other] = [await createKeyOf(server(), caller), await createKeyOf(server(), caller)];
    const requestId = randomUUID();
    await insert({ ...secretOf(key, caller.ownerId), requestId });
    const second = insert({ ...secretOf(other, caller.ownerId), requestId });
    await expect(second).rejects.toMatchObject(refusedBy("api_key_secrets_owner_request"));
    const stranger = newCaller();
    await insert({ ...secretOf(await createKeyOf(server(), stranger), stranger.ownerId), requestId });
  });
});
