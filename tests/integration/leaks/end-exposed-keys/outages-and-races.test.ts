import { randomUUID } from "node:crypto";

import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";

import { effectOfApiKey, listApiKeys, revokeApiKey, revokeSelf, rotateApiKey, verifyApiKey } from "@/server/keys";
import { mintSecret } from "@/server/keys/secret";
import { drainPurges } from "@/server/outbox/drain";
import { apiKeys } from "@/server/platform/schema";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { createGate } from "@/tests/support/gate";
import { createWarmKey } from "@/tests/support/server-instance";
import { redisKinds } from "@/tests/support/services";

import { actionsOf, end, historyOf, reporter, url, useReportedKeys, valid } from "./exposed-keys";

const revoked = { valid: false, reason: "revoked" };

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
  const { server, isEnded, newKey } = useReportedKeys();

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
