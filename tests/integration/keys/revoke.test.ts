import { Redis } from "@upstash/redis";
import { eq, sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";

import {
  effectOfApiKey,
  listApiKeys,
  renameApiKey,
  revokeAllApiKeys,
  revokeApiKey,
  revokeSelf,
  verifyApiKey,
} from "@/server/keys";
import { hashSecret } from "@/server/keys/secret";
import { apiKeys, cachePurges } from "@/server/platform/schema";
import { enqueuePurges } from "@/server/outbox/queue";
import { createGate } from "@/tests/support/gate";
import { asTold, createKeyOf, newCaller, startTestServer, useTestServer } from "@/tests/support/domain";
import { redisKinds, testRedis } from "@/tests/support/services";
import { slotKeyOf } from "@/tests/support/slots";

const isFill = (body: string) => body.includes("PXAT");
const isPurge = (body: string) => body.includes("'DEL'");

describe.each(redisKinds)("revokeApiKey on %s", (redisKind) => {
  const server = useTestServer(redisKind);
  const redis = () => new Redis({ ...testRedis(redisKind), automaticDeserialization: false });
  const slot = async (secret: string) => redis().get<string>(slotKeyOf(secret));
  const queued = (id: string) =>
    server()
      .db.select()
      .from(cachePurges)
      .where(eq(cachePurges.keyId, id.slice(4)));

  beforeEach(async () => {
    server().redisProxy.decide = () => "pass";
    await server().redisAnswers();
    server().postgresProxy.decide = () => "pass";
    server().postgresProxy.heal();
  });

  async function usedKey() {
    const caller = newCaller();
    const created = await createKeyOf(server(), caller);
    expect(await verifyApiKey(server(), created.secret)).toMatchObject({ valid: true });
    await server().runDeferred();
    expect(await slot(created.secret)).toMatch(/^V:/);
    return { caller, ...created };
  }

  it("a revoked key is refused by the next verification", async () => {
    const { caller, key, secret } = await usedKey();
    const { effect, key: revoked } = await revokeApiKey(server(), caller, key);
    expect(effect.status).toBe("effective");
    expect(revoked).toMatchObject({ status: "revoked", revokedBy: "owner", effect });
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "revoked" });
    expect(await queued(key.id)).toEqual([]);
  });

  it("a fill that is delayed past the revocation is refused, and the key with it", async () => {
    const { caller, key, secret } = await usedKey();
    await redis().del(slotKeyOf(secret));
    const gate = createGate();
    const other = await startTestServer(redisKind, server().postgresProxy.url);
    other.redisProxy.decide = (body) => (isFill(body) ? gate.opened : "pass");
    // The verification misses, reads the valid row and sends its fill, which now waits on the way to Redis.
    expect(await verifyApiKey(other, secret)).toMatchObject({ valid: true });
    const fill = other.runDeferred();
    expect((await revokeApiKey(server(), caller, key)).effect.status).toBe("effective");
    gate.open();
    await fill;
    await other.close();
    expect(await slot(secret)).toBe("T:");
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "revoked" });
  });

  it("a fill from a read that began before the revocation is refused even if the tombstone was evicted", async () => {
    const { caller, key, secret } = await usedKey();
    await redis().del(slotKeyOf(secret));
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    await revokeApiKey(server(), caller, key);
    await redis().del(slotKeyOf(secret));
    await server().runDeferred();
    expect(await slot(secret)).toBeNull();
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "revoked" });
  });

  it("costs one lookup, one transaction and two Redis requests, and one statement that records the effect", async () => {
    const { caller, key } = await usedKey();
    server().redisProxy.requests.length = 0;
    server().postgresProxy.statements.length = 0;
    server().postgresProxy.roundTrips = 0;
    await revokeApiKey(server(), caller, key);
    expect(server().redisProxy.requests).toHaveLength(2);
    // The lookup, the transaction with its change, its commit, and the record of the effect.
    expect(server().postgresProxy.roundTrips).toBe(4);
    const [lookup, begin, ...rest] = server().postgresProxy.statements;
    expect([lookup, begin, rest.at(-2), rest.at(-1)]).toEqual([
      expect.stringMatching(/^select/),
      expect.stringMatching(/^BEGIN/),
      expect.stringMatching(/^COMMIT/),
      expect.stringContaining("latchkey.record_confirmed"),
    ]);
    expect(server().postgresProxy.statements.filter((statement) => statement.startsWith("BEGIN"))).toHaveLength(1);
  });

  it("writes into no index of the keys: none names a column that a revocation sets", async () => {
    const { rows } = await server().db.execute<{ indexdef: string }>(
      sql`select indexdef from pg_indexes where schemaname = 'latchkey' and tablename = 'api_keys'`,
    );
    expect(rows.length).toBeGreaterThan(2);
    for (const { indexdef } of rows) expect(indexdef).not.toMatch(/revoked|effective|guaranteed/);
  });

  it("a second call succeeds, keeps the first time and stays effective even when Redis is down", async () => {
    const { caller, key } = await usedKey();
    const first = await revokeApiKey(server(), caller, key);
    server().redisProxy.decide = () => "refuse";
    const second = await revokeApiKey(server(), caller, key);
    expect(second).toEqual(first);
    expect(await queued(key.id)).toHaveLength(1);
  });

  it.each([
    ["refuses the purge", "refuse" as const],
    ["executes the purge but its answer is lost", "lose" as const],
    ["answers 500", { status: 500, body: '{"error":"boom"}' }],
    ["answers 200 with null", { status: 200, body: '[{"result":null}]' }],
    ["answers 200 with another nonce", { status: 200, body: '[{"result":"bm9uY2U="}]' }],
    ["answers 200 with nothing", { status: 200, body: "[]" }],
    ["answers 200 with an error", { status: 200, body: '[{"error":"OOM"}]' }],
  ])("is pending, with a time that stays the same, when Redis %s", async (_title, fate) => {
    const { caller, key, secret } = await usedKey();
    server().redisProxy.decide = (body) => (isPurge(body) ? fate : "pass");
    const { effect } = await revokeApiKey(server(), caller, key);
    const [row] = await server()
      .db.select()
      .from(apiKeys)
      .where(eq(apiKeys.id, key.id.slice(4)));
    if (effect.status !== "pending" || !row?.revokedAt) throw new Error(`expected pending, got ${effect.status}`);
    expect(effect.guaranteedBy.getTime() - row.revokedAt.getTime()).toBeGreaterThanOrEqual(65_000);
    expect(await queued(key.id)).toHaveLength(1);
    expect(await effectOfApiKey(server(), caller, key)).toEqual(effect);
    expect(await revokeApiKey(server(), caller, key)).toMatchObject({ effect });
    expect((await listApiKeys(server(), caller)).keys).toMatchObject([{ id: key.id, effect }]);
    // The bypass had been placed before the commit: the key is refused already, only nobody may promise it.
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "revoked" });

    server().redisProxy.decide = () => "pass";
    const repeated = await revokeApiKey(server(), caller, key);
    expect(repeated.effect.status).toBe("effective");
    expect(await effectOfApiKey(server(), caller, key)).toEqual(repeated.effect);
  });

  it("promises a time to a revocation whose process died before it answered", async () => {
    const { caller, key, secret } = await usedKey();
    // What its one transaction has left: the revoked row and the purge in the outbox.
    const keyId = key.id.slice(4);
    await server().db.commit(async (transaction) => {
      await transaction.update(apiKeys).set({ revokedAt: new Date() }).where(eq(apiKeys.id, keyId));
      await enqueuePurges(transaction, { hashes: [hashSecret(secret)], target: "revoked" });
    });
    const effect = await effectOfApiKey(server(), caller, key);
    expect(effect?.status).toBe("pending");
    expect((await listApiKeys(server(), caller)).keys[0]?.effect).toEqual(effect);
    expect(await effectOfApiKey(server(), caller, key)).toEqual(effect);
  });

  it("has changed nothing when the database refuses before the commit, and the key goes on working", async () => {
    const { caller, key, secret } = await usedKey();
    server().postgresProxy.decide = (statement) =>
      statement.includes("latchkey.revoke_keys") ? "break after" : "pass";
    await expect(asTold(revokeApiKey(server(), caller, key))).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE" });
    server().postgresProxy.decide = () => "pass";
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    expect(await effectOfApiKey(server(), caller, key)).toBeNull();
  });

  it("finds out whether a commit went through when the connection dies while committing", async () => {
    const { caller, key, secret } = await usedKey();
    let commits = 0;
    server().postgresProxy.decide = (statement) =>
      statement.startsWith("COMMIT") && commits++ === 0 ? "break after" : "pass";
    const { effect } = await revokeApiKey(server(), caller, key);
    expect(commits).toBe(2);
    expect(effect.status).toBe("effective");
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "revoked" });
  });

  it("tells a time even if the database is gone the moment after the commit", async () => {
    const { caller, key } = await usedKey();
    server().redisProxy.decide = (body) => {
      if (!isPurge(body)) return "pass";
      server().postgresProxy.sever();
      return "refuse";
    };
    expect((await revokeApiKey(server(), caller, key)).effect.status).toBe("pending");
  });

  it("of 20 concurrent calls all succeed with one time", async () => {
    const { caller, key } = await usedKey();
    const answers = await Promise.all(Array.from({ length: 20 }, () => revokeApiKey(server(), caller, key)));
    expect(new Set(answers.map((answer) => answer.key.revokedAt?.getTime())).size).toBe(1);
    const effective = answers.flatMap(({ effect }) => (effect.status === "effective" ? [effect.at.getTime()] : []));
    expect(effective).toHaveLength(20);
    expect(new Set(effective).size).toBe(1);
  });

  it("a key that is renamed and revoked at once ends revoked", async () => {
    const { caller, key, secret } = await usedKey();
    await Promise.all([
      revokeApiKey(server(), caller, key),
      ...Array.from({ length: 5 }, (_, at) => renameApiKey(server(), caller, { id: key.id, name: `Name ${at}` })),
      ...Array.from({ length: 5 }, () => verifyApiKey(server(), secret)),
    ]);
    await server().runDeferred();
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "revoked" });
    expect(await queued(key.id)).toEqual([]);
  });

  describe("of all keys", () => {
    it("takes one transaction and one purge, tells each effect, and spares other owners", async () => {
      const caller = newCaller();
      const created = [];
      for (let at = 0; at < 3; at++) created.push(await createKeyOf(server(), caller));
      const other = await usedKey();
      for (const { secret } of created) await verifyApiKey(server(), secret);
      await server().runDeferred();
      server().redisProxy.requests.length = 0;
      server().postgresProxy.statements.length = 0;
      const answer = await revokeAllApiKeys(server(), caller);
      expect(server().redisProxy.requests).toHaveLength(2);
      expect(server().postgresProxy.statements.filter((statement) => statement.startsWith("BEGIN"))).toHaveLength(1);
      expect(new Set(answer.keys.map(({ id }) => id))).toEqual(new Set(created.map(({ key }) => key.id)));
      expect(answer.effect?.status).toBe("effective");
      for (const { secret } of created)
        expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "revoked" });
      expect(await verifyApiKey(server(), other.secret)).toMatchObject({ valid: true });
      // Nothing was left to revoke, so there is nothing whose effect could be told.
      expect(await revokeAllApiKeys(server(), caller)).toEqual({ keys: [], effect: null });
    });

    it("tells the weakest effect, and repeats what is still pending", async () => {
      const { caller, key } = await usedKey();
      server().redisProxy.decide = (body) => (isPurge(body) ? "refuse" : "pass");
      const first = await revokeApiKey(server(), caller, key);
      await createKeyOf(server(), caller);
      const all = await revokeAllApiKeys(server(), caller);
      expect(all.effect?.status).toBe("pending");
      expect(all.keys).toHaveLength(2);
      expect(all.keys.find(({ id }) => id === key.id)?.effect).toEqual(first.effect);
      server().redisProxy.decide = () => "pass";
      expect((await revokeAllApiKeys(server(), caller)).effect?.status).toBe("effective");
    });
  });

  describe("by the key itself", () => {
    it("revokes, and tells the same effect when asked again", async () => {
      const { caller, key, secret } = await usedKey();
      const effect = await revokeSelf(server(), secret);
      expect(effect?.status).toBe("effective");
      expect(await revokeSelf(server(), secret)).toEqual(effect);
      expect((await listApiKeys(server(), caller)).keys).toMatchObject([{ id: key.id, revokedBy: "key" }]);
      expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "revoked" });
    });

    it("works for an expired key, and does not read the slot", async () => {
      const { secret } = await createKeyOf(server(), newCaller(), { expiresInDays: 1 });
      server().advance(2 * 86_400_000);
      server().redisProxy.requests.length = 0;
      expect((await revokeSelf(server(), secret))?.status).toBe("effective");
      server().advance(-2 * 86_400_000);
      expect(server().redisProxy.requests).toHaveLength(2);
    });
  });

  describe("security", () => {
    it("refuses another owner as if the key did not exist, and leaves Redis untouched", async () => {
      const { key, secret } = await usedKey();
      server().redisProxy.requests.length = 0;
      const stranger = newCaller();
      const unknown = { id: "key_01890000-0000-7000-8000-000000000000" };
      const errors = await Promise.all(
        [key, unknown].flatMap((target) => [
          revokeApiKey(server(), stranger, target).catch(String),
          effectOfApiKey(server(), stranger, target).catch(String),
          renameApiKey(server(), stranger, { ...target, name: "Mine" }).catch(String),
        ]),
      );
      expect(new Set(errors)).toEqual(new Set(["DomainError: There is no such API key."]));
      expect(server().redisProxy.requests).toHaveLength(0);
      expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    });
  });
});
