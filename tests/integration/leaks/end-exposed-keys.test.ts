import { createHash, randomUUID } from "node:crypto";

import { eq, sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";

import {
  type Caller,
  cancelRotation,
  effectOfApiKey,
  importKeys,
  listApiKeys,
  revokeApiKey,
  revokeSelf,
  rotateApiKey,
  verifyApiKey,
} from "@/server/keys";
import { mintSecret } from "@/server/keys/secret";
import { endExposedKeys, type LeakSource } from "@/server/leaks";
import { drainPurges } from "@/server/outbox/drain";
import { closeOwner } from "@/server/owners";
import { apiKeys, owners } from "@/server/platform/schema";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { createGate } from "@/tests/support/gate";
import { recordedEvents } from "@/tests/support/recorded-events";
import { createWarmKey, type TestServer } from "@/tests/support/server-instance";
import { redisKinds } from "@/tests/support/services";

const url = "https://github.com/octo/repo/blob/main/config.yml";
const at = (token: string, place: { location?: string | null; url?: string | null } = {}) => ({
  token,
  location: "content",
  url,
  ...place,
});
const reporter = (source: LeakSource) => ["reporter", source === "github" ? "github" : null, null];
const valid = { valid: true };
const revoked = { valid: false, reason: "revoked" };

async function historyOf(server: TestServer, { ownerId }: Caller) {
  return (await recordedEvents(server.db, ownerId)).filter(({ action }) => action !== "key.created");
}
const actionsOf = async (server: TestServer, caller: Caller) =>
  (await historyOf(server, caller)).map(({ action }) => action);
const end = (server: TestServer, tokens: string[], source: LeakSource = "github") =>
  endExposedKeys(
    server,
    tokens.map((token) => at(token)),
    { source },
  );

describe.each(redisKinds)("a key that was found, on %s", (redisKind) => {
  const server = useTestServer(redisKind);
  beforeEach(() => {
    server().redisProxy.decide = () => "pass";
    server().postgresProxy.decide = () => "pass";
    server().postgresProxy.heal();
  });

  it("is counted by its source and by what became of it, once for each place where it was found", async () => {
    const counts = async () =>
      (await server().metrics.render(null)).text.match(/^latchkey_leaks_received_total.* [1-9].*$/gm);
    const before = server().metrics.read().leaksReceived;
    const { secret } = await createKeyOf(server(), newCaller());
    await end(server(), [secret, mintSecret({ prefix: "lk", environment: "test" }), "no key"], "web");
    await end(server(), [secret], "web");
    expect(server().metrics.read().leaksReceived - before).toBe(4);
    expect(await counts()).toEqual(
      expect.arrayContaining([
        'latchkey_leaks_received_total{source="web",outcome="revoked"} 1',
        'latchkey_leaks_received_total{source="web",outcome="dead"} 1',
        'latchkey_leaks_received_total{source="web",outcome="unknown"} 2',
      ]),
    );
  });

  it("is refused after the purge that follows the report, and its list and history say why", async () => {
    const { caller, key, secret } = await createWarmKey(server());
    expect(await end(server(), [secret])).toEqual([true]);
    await server().runDeferred();
    expect(await verifyApiKey(server(), secret)).toEqual(revoked);
    const { keys } = await listApiKeys(server(), caller);
    expect(keys).toMatchObject([{ status: "revoked", revokedBy: "leak", effect: { status: "effective" } }]);
    const ofKey = { key: key.id, name: "Production" };
    expect(await historyOf(server(), caller)).toEqual([
      {
        ...ofKey,
        action: "key.exposed",
        actor: reporter("github"),
        detail: { source: "github", location: "content", url, action: "revoke" },
      },
      { ...ofKey, action: "key.revoked", actor: reporter("github"), detail: { by: "leak" } },
      {
        ...ofKey,
        action: "key.revocation_effective",
        actor: ["system", null, null],
        detail: expect.anything() as object,
      },
    ]);
  });

  it.each(["refuse", "hang", "lose"] as const)(
    "is committed as ended when Redis fails (%s), and is purged when it is back",
    async (fate) => {
      const { caller, key, secret } = await createWarmKey(server());
      server().redisProxy.decide = () => fate;
      server().redisProxy.requests.length = 0;
      expect(await end(server(), [secret])).toEqual([true]);
      // Redis was not even asked.
      expect(server().redisProxy.requests).toEqual([]);
      await server().runDeferred();
      expect(await effectOfApiKey(server(), caller, key)).toMatchObject({ status: "pending" });
      server().redisProxy.decide = () => "pass";
      await drainPurges(server(), { dueOrNot: true });
      expect(await effectOfApiKey(server(), caller, key)).toMatchObject({ status: "effective" });
      expect(await verifyApiKey(server(), secret)).toEqual(revoked);
    },
  );

  it("is purged by the drain where the deferred work never ran", async () => {
    const { secret, caller } = await createWarmKey(server());
    await end(server(), [secret]);
    await drainPurges(server(), { dueOrNot: true });
    expect(await verifyApiKey(server(), secret)).toEqual(revoked);
    expect(await actionsOf(server(), caller)).toEqual(["key.exposed", "key.revoked", "key.revocation_effective"]);
    await server().runDeferred();
    expect(await actionsOf(server(), caller)).toHaveLength(3);
  });
});

describe("a report", () => {
  const server = useTestServer("embedded", {
    secretFormat: {
      prefix: "lk",
      environment: "test",
      accepted: [{ prefix: "wm_", characters: "hex", length: 40 }],
    },
  });
  beforeEach(() => {
    server().redisProxy.decide = () => "pass";
    server().postgresProxy.decide = () => "pass";
    server().postgresProxy.heal();
    server().postgresProxy.statements.length = 0;
  });

  const isEnded = async (secret: string) => {
    await server().runDeferred();
    return !(await verifyApiKey(server(), secret)).valid;
  };
  const newKey = async (caller = newCaller()) => ({ caller, ...(await createKeyOf(server(), caller)) });
  const startRotation = (caller: Caller, { id }: { id: string }) =>
    rotateApiKey(server(), caller, { id, requestId: randomUUID(), graceSeconds: 300 });

  it("costs no statement where nothing has the shape and the checksum of a key", async () => {
    const { secret } = await newKey();
    server().postgresProxy.statements.length = 0;
    const lookalikes = [
      "",
      "x".repeat(1_000_000),
      secret.slice(0, -1),
      `${secret}x`,
      ` ${secret}`,
      secret.replace(/.$/, (last) => (last === "0" ? "1" : "0")),
      mintSecret({ prefix: "lk", environment: "live" }),
      mintSecret({ prefix: "sk", environment: "test" }),
      `wm_${"g".repeat(40)}`,
      `${secret.slice(0, 12)}…${secret.slice(-4)}`,
      "\0",
      "\ud800",
    ];
    expect(await end(server(), lookalikes)).toEqual(lookalikes.map(() => false));
    expect(server().postgresProxy.statements).toEqual([]);
    expect((await verifyApiKey(server(), secret)).valid).toBe(true);
  });

  it("costs one statement where something only looks like a key, however much there is", async () => {
    const madeUp = Array.from({ length: 500 }, () => mintSecret({ prefix: "lk", environment: "test" }));
    expect(await end(server(), madeUp)).toEqual(madeUp.map(() => false));
    expect(server().postgresProxy.statements).toHaveLength(1);
  });

  it("tells of each finding in its place whether it is a key of ours", async () => {
    const [a, b] = [await newKey(), await newKey()];
    const unknown = mintSecret({ prefix: "lk", environment: "test" });
    expect(await end(server(), ["x", b.secret, unknown, a.secret, b.secret, ""])).toEqual([
      ...[false, true, false, true, true, false],
    ]);
    for (const { secret, caller } of [a, b]) {
      expect(await isEnded(secret)).toBe(true);
      expect((await actionsOf(server(), caller)).filter((action) => action !== "key.revocation_effective")).toEqual([
        "key.exposed",
        "key.revoked",
      ]);
    }
  });

  it("ends nothing twice, records nothing twice and answers the same when it is repeated, in any order", async () => {
    const keys = [await newKey(), await newKey(), await newKey()];
    const tokens = keys.map(({ secret }) => secret);
    await end(server(), tokens);
    await server().runDeferred();
    const before = await Promise.all(keys.map(({ caller }) => historyOf(server(), caller)));
    const revokedAt = () => server().db.select({ at: apiKeys.revokedAt }).from(apiKeys).orderBy(apiKeys.id);
    const times = await revokedAt();
    for (const replay of [tokens, tokens.toReversed(), [...tokens, ...tokens]]) {
      expect(await end(server(), replay)).toEqual(replay.map(() => true));
      await server().runDeferred();
    }
    expect(await Promise.all(keys.map(({ caller }) => historyOf(server(), caller)))).toEqual(before);
    expect(await revokedAt()).toEqual(times);
  });

  it("that comes several times at once leaves one row for one act", async () => {
    const keys = [await newKey(), await newKey(), await newKey(), await newKey()];
    const tokens = keys.map(({ secret }) => secret);
    const answers = await Promise.all(
      [tokens, tokens.toReversed(), tokens, tokens.toReversed(), tokens.slice(2), tokens.slice(0, 2)].map((batch) =>
        end(server(), batch),
      ),
    );
    expect(answers.flat().every(Boolean)).toBe(true);
    await server().runDeferred();
    for (const { caller } of keys)
      expect(await actionsOf(server(), caller)).toEqual(["key.exposed", "key.revoked", "key.revocation_effective"]);
  });

  it("records another place of a key that is dead already, once", async () => {
    const { caller, secret } = await newKey();
    await end(server(), [secret]);
    const other = { url: "https://example.com/elsewhere" };
    for (let repeat = 0; repeat < 2; repeat++)
      expect(await endExposedKeys(server(), [at(secret, other), at(secret)], { source: "github" })).toEqual([
        true,
        true,
      ]);
    await endExposedKeys(server(), [at(secret, { location: "commit_description" })], { source: "github" });
    await end(server(), [secret], "report");
    const places = (await historyOf(server(), caller)).filter(({ action }) => action === "key.exposed");
    expect(places.map(({ detail }) => detail)).toEqual([
      { source: "github", location: "content", url, action: "revoke" },
      { source: "github", location: "content", url: other.url, action: "report" },
      { source: "github", location: "commit_description", url, action: "report" },
      { source: "report", location: "content", url, action: "report" },
    ]);
    expect(await actionsOf(server(), caller)).toEqual([
      "key.exposed",
      "key.revoked",
      ...Array<string>(3).fill("key.exposed"),
    ]);
  });

  it("cannot fill the history: of one secret at most 20 places are recorded", async () => {
    const { caller, secret } = await newKey();
    for (let batch = 0; batch < 3; batch++)
      await endExposedKeys(
        server(),
        Array.from({ length: 15 }, (_, n) => at(secret, { url: `https://example.com/${batch}/${n}` })),
        { source: "report" },
      );
    expect((await actionsOf(server(), caller)).filter((action) => action === "key.exposed")).toHaveLength(20);
  });

  it("is recorded where it ends a key, though an old secret of that key was reported everywhere before", async () => {
    const { caller, key, secret: old } = await newKey();
    const { secret } = await rotateApiKey(server(), caller, { id: key.id, requestId: randomUUID(), graceSeconds: 0 });
    await endExposedKeys(
      server(),
      Array.from({ length: 30 }, (_, n) => at(old, { url: `https://example.com/${n}` })),
      { source: "report" },
    );
    expect((await verifyApiKey(server(), secret)).valid).toBe(true);
    await endExposedKeys(
      server(),
      [at(old, { url: "https://example.com/more" }), at(secret, { url: "https://example.com/0" })],
      { source: "report" },
    );
    expect((await historyOf(server(), caller)).slice(-2)).toMatchObject([
      { action: "key.exposed", detail: { url: "https://example.com/0", action: "revoke" } },
      { action: "key.revoked" },
    ]);
  });

  it("keeps no secret, escaped or not, and no e-mail address, of the place where it was found", async () => {
    const { caller, secret } = await newKey();
    const places = [
      `https://example.com/?key=${secret}`,
      `https://example.com/?key=${secret.replaceAll("_", "%5f")}`,
      `https://ada@example.com/\0\ud800`,
    ];
    await endExposedKeys(
      server(),
      places.map((place) => at(secret, { url: place, location: place })),
      { source: "web" },
    );
    const told = JSON.stringify(await historyOf(server(), caller));
    expect(told).toContain("https://example.com/?key=…");
    expect(told).not.toContain(secret.slice(10, 20));
    expect(told).not.toContain("ada");
  });

  it("ends the whole key with its current secret, also one that is being rotated", async () => {
    const { caller, key, secret } = await newKey();
    const { secret: next } = await startRotation(caller, key);
    await end(server(), [secret]);
    for (const each of [secret, next]) expect(await isEnded(each)).toBe(true);
    expect((await actionsOf(server(), caller)).slice(1)).toEqual([
      "key.exposed",
      "key.revoked",
      "key.revocation_effective",
    ]);
  });

  it("ends a waiting secret alone", async () => {
    const { caller, key, secret } = await newKey();
    const { secret: next } = await startRotation(caller, key);
    for (let repeat = 0; repeat < 2; repeat++) await end(server(), [next]);
    expect(await isEnded(next)).toBe(true);
    expect(await verifyApiKey(server(), secret)).toMatchObject(valid);
    expect((await historyOf(server(), caller)).slice(1)).toMatchObject([
      { action: "key.exposed", actor: reporter("github"), detail: { action: "revoke" } },
      { action: "key.rotation_cancelled", actor: reporter("github"), detail: {} },
    ]);
    expect(await cancelRotation(server(), caller, key)).toMatchObject({ effect: null });
  });

  it("ends a previous secret alone", async () => {
    const { caller, key, secret } = await newKey();
    const { secret: next } = await startRotation(caller, key);
    await verifyApiKey(server(), next);
    for (let repeat = 0; repeat < 2; repeat++) await end(server(), [secret]);
    expect(await isEnded(secret)).toBe(true);
    expect(await verifyApiKey(server(), next)).toMatchObject(valid);
    expect((await historyOf(server(), caller)).slice(2)).toMatchObject([
      { action: "key.exposed", actor: reporter("github"), detail: { action: "revoke" } },
      { action: "key.grace_ended", actor: reporter("github"), detail: {} },
    ]);
  });

  it("with both secrets of a key ends the key, and tells it once", async () => {
    const { caller, key, secret } = await newKey();
    const { secret: next } = await startRotation(caller, key);
    await end(server(), [next, secret, next]);
    for (const each of [secret, next]) expect(await isEnded(each)).toBe(true);
    expect((await actionsOf(server(), caller)).slice(1)).toEqual([
      "key.exposed",
      "key.revoked",
      "key.revocation_effective",
    ]);
  });

  it("only notes a secret whose grace is over, or that was replaced at once", async () => {
    const { caller, key, secret } = await newKey();
    const { secret: next } = await startRotation(caller, key);
    await verifyApiKey(server(), next);
    server().advance(301_000);
    expect(await end(server(), [secret])).toEqual([true]);
    const { secret: last } = await rotateApiKey(server(), caller, {
      id: key.id,
      requestId: randomUUID(),
      graceSeconds: 0,
    });
    expect(await endExposedKeys(server(), [at(next, { url: "b" })], { source: "github" })).toEqual([true]);
    server().advance(-301_000);
    await server().runDeferred();
    expect(await verifyApiKey(server(), last)).toMatchObject(valid);
    const exposed = (await historyOf(server(), caller)).filter(({ action }) => action === "key.exposed");
    expect(exposed.map(({ detail }) => detail.action)).toEqual(["report", "report"]);
    expect(await actionsOf(server(), caller)).not.toContain("key.grace_ended");
  });

  it("ends an expired key, as a key may end itself then", async () => {
    const caller = newCaller();
    const { secret } = await createKeyOf(server(), caller, { expiresInDays: 1 });
    server().advance(2 * 86_400_000);
    expect(await end(server(), [secret])).toEqual([true]);
    server().advance(-2 * 86_400_000);
    expect(await isEnded(secret)).toBe(true);
    expect(await actionsOf(server(), caller)).toContain("key.revoked");
  });

  it("only notes a key that its owner, itself or the end of an account has ended", async () => {
    const [byOwner, bySelf, byAccount] = [await newKey(), await newKey(), await newKey()];
    await revokeApiKey(server(), byOwner.caller, byOwner.key);
    await revokeSelf(server(), bySelf.secret);
    await closeOwner(server(), { ownerId: byAccount.caller.ownerId, at: new Date(), reason: "deleted" });
    const all = [byOwner, bySelf, byAccount];
    for (let repeat = 0; repeat < 2; repeat++)
      expect(
        await end(
          server(),
          all.map(({ secret }) => secret),
        ),
      ).toEqual([true, true, true]);
    const by = await Promise.all(
      all.map(async ({ key }) =>
        server()
          .db.select()
          .from(apiKeys)
          .where(eq(apiKeys.id, key.id.slice(4))),
      ),
    );
    expect(by.flat().map(({ revokedBy }) => revokedBy)).toEqual(["owner", "key", "account"]);
    for (const { caller } of all) {
      const told = await historyOf(server(), caller);
      expect(told.filter(({ action }) => action === "key.revoked")).toHaveLength(1);
      expect(told.filter(({ action }) => action === "key.exposed")).toMatchObject([{ detail: { action: "report" } }]);
    }
  });

  it("ends a key that was left over when its account was closed", async () => {
    const { caller, secret } = await newKey();
    await server().db.update(owners).set({ closedAt: new Date() }).where(eq(owners.id, caller.ownerId));
    expect(await end(server(), [secret])).toEqual([true]);
    expect(await actionsOf(server(), caller)).toContain("key.revoked");
  });

  it("ends a key that came from another system, and knows none that did not", async () => {
    const secret = `wm_${createHash("sha1").update(randomUUID()).digest("hex")}`;
    const caller = newCaller();
    const imported = {
      ownerId: caller.ownerId,
      name: "Old",
      hash: createHash("sha256").update(secret).digest(),
      display: "wm_0123…4567",
      scopes: [],
      createdAt: null,
      expiresAt: null,
    };
    await importKeys({ ...server(), environment: "test", from: "import" }, [imported]);
    const never = `wm_${createHash("sha1").update(randomUUID()).digest("hex")}`;
    expect(await end(server(), [never, secret])).toEqual([false, true]);
    expect(await isEnded(secret)).toBe(true);
  });

  it("leaves nothing half done when the database fails on the way, and says so", async () => {
    const { caller, secret } = await newKey();
    for (const broken of [
      /for no key update/,
      /latchkey\.record_event/,
      /latchkey\.mark_revoked/,
      /latchkey\.queue_purges/,
    ]) {
      server().postgresProxy.decide = (statement) => (broken.test(statement) ? "break" : "pass");
      await expect(end(server(), [secret]), String(broken)).rejects.toThrow();
      server().postgresProxy.decide = () => "pass";
      expect(await actionsOf(server(), caller)).toEqual([]);
      expect((await verifyApiKey(server(), secret)).valid).toBe(true);
    }
    await server().runDeferred();
    expect(await end(server(), [secret])).toEqual([true]);
    expect(await actionsOf(server(), caller)).toEqual(["key.exposed", "key.revoked"]);
  });

  it("leaves one row for one act when nobody knows whether its commit arrived", async () => {
    const { caller, secret } = await newKey();
    let isLost = false;
    server().postgresProxy.decide = (statement) => {
      if (isLost || !statement.startsWith("COMMIT")) return "pass";
      isLost = true;
      return "break after";
    };
    expect(await end(server(), [secret])).toEqual([true]);
    expect(isLost).toBe(true);
    expect(await isEnded(secret)).toBe(true);
    expect(await actionsOf(server(), caller)).toEqual(["key.exposed", "key.revoked", "key.revocation_effective"]);
  });

  it("at the moment of a revocation by the owner, of a rotation, or of another report, waits for no one in a circle", async () => {
    const rounds = Array.from({ length: 8 }, async () => {
      const caller = newCaller();
      const keys = await Promise.all(Array.from({ length: 5 }, () => createKeyOf(server(), caller)));
      const tokens = keys.map(({ secret }) => secret);
      const [first, second, third] = keys as [(typeof keys)[0], (typeof keys)[0], (typeof keys)[0]];
      const rotation = { requestId: randomUUID(), graceSeconds: 0 };
      await Promise.all([
        end(server(), tokens),
        end(server(), tokens.toReversed(), "report"),
        revokeApiKey(server(), caller, first.key),
        revokeSelf(server(), third.secret),
        // It is refused where the report came first.
        rotateApiKey(server(), caller, { ...rotation, id: second.key.id }).catch(() => null),
        drainPurges(server(), { dueOrNot: true }),
      ]);
      await server().runDeferred();
      for (const token of tokens) expect((await verifyApiKey(server(), token)).valid).toBe(false);
      expect((await actionsOf(server(), caller)).filter((action) => action === "key.revoked").length).toBeGreaterThan(
        3,
      );
    });
    await Promise.all(rounds);
  });

  it("that waits for the first of its keys holds none of the others", async () => {
    const caller = newCaller();
    const keys = [await createKeyOf(server(), caller), await createKeyOf(server(), caller)];
    const [first = "", last = ""] = keys.map(({ key }) => key.id.slice(4)).sort();
    const lock = (id: string) => sql`select from ${apiKeys} where id = ${id}::uuid for no key update nowait`;
    let ended: Promise<boolean[]> | undefined;
    await server().db.commit(async (transaction) => {
      await transaction.execute(lock(first));
      ended = end(server(), keys.map(({ secret }) => secret).toReversed());
      const waiting = sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await expect.poll(async () => (await server().db.execute(waiting)).rows.length).toBeGreaterThan(0);
      await transaction.execute(lock(last));
    });
    expect(await ended).toEqual([true, true]);
  });

  it("waits for a rotation that is being committed, and then only notes the secret that it has replaced", async () => {
    const { caller, key, secret } = await newKey();
    const gate = createGate();
    let isHeld = false;
    server().postgresProxy.decide = (statement) => {
      if (isHeld || !statement.startsWith("COMMIT")) return "pass";
      isHeld = true;
      return gate.opened;
    };
    const rotated = rotateApiKey(server(), caller, { id: key.id, requestId: randomUUID(), graceSeconds: 0 });
    await expect.poll(() => isHeld).toBe(true);
    const ended = end(server(), [secret]);
    gate.open();
    expect(await ended).toEqual([true]);
    const { secret: next } = await rotated;
    await server().runDeferred();
    expect(await verifyApiKey(server(), next)).toMatchObject(valid);
    expect((await verifyApiKey(server(), secret)).valid).toBe(false);
    expect(await actionsOf(server(), caller)).not.toContain("key.revoked");
  });
});

describe("where keys are only to be reported", () => {
  const server = useTestServer("embedded", { leaks: { action: "report" } });

  it("a key that was found works on, and its history tells each place once", async () => {
    const { caller, secret } = await createWarmKey(server());
    for (let repeat = 0; repeat < 3; repeat++) expect(await end(server(), [secret, secret])).toEqual([true, true]);
    await endExposedKeys(server(), [at(secret, { url: null })], { source: "github" });
    await server().runDeferred();
    expect(await verifyApiKey(server(), secret)).toMatchObject(valid);
    expect((await historyOf(server(), caller)).map(({ action, detail }) => [action, detail])).toEqual([
      ["key.exposed", { source: "github", location: "content", url, action: "report" }],
      ["key.exposed", { source: "github", location: "content", url: null, action: "report" }],
    ]);
    expect((await server().db.execute(sql`select from latchkey.cache_purges`)).rows).toHaveLength(0);
  });

  it("a new secret at the place of an old one is told as well", async () => {
    const caller = newCaller();
    const { key, secret } = await createKeyOf(server(), caller);
    await end(server(), [secret]);
    server().advance(600_000);
    const { secret: next } = await rotateApiKey(server(), caller, {
      id: key.id,
      requestId: randomUUID(),
      graceSeconds: 0,
    });
    server().advance(-600_000);
    // The new secret is from the future here, so every row is older than it.
    await end(server(), [next]);
    expect((await actionsOf(server(), caller)).filter((action) => action === "key.exposed")).toHaveLength(2);
  });
});
