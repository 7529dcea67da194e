import { createLatchkey } from "latchkey";
import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { noteExpiringInTime, noteExpiringKeys } from "@/server/history/note-expiring";
import { createHandler } from "@/server/http/handler";
import { noIdentity } from "@/server/http/no-identity";
import { type Caller, renameApiKey, revokeApiKey } from "@/server/keys";
import { apiKeys } from "@/server/platform/schema";
import { createKeyOf, newCaller, startTestServer, useTestServer } from "@/tests/support/domain";
import { type EventReceiver, startEventReceiver } from "@/tests/support/event-receiver";
import { createGate } from "@/tests/support/gate";
import { recordedActions, recordedEvents } from "@/tests/support/recorded-events";
import { testRedis } from "@/tests/support/services";

describe("that a key expires soon", () => {
  const server = useTestServer("embedded", { keyLimit: 1_000 });
  let caller: Caller;
  beforeEach(() => {
    caller = newCaller();
    server().postgresProxy.decide = () => "pass";
  });

  const actions = async () =>
    (await recordedActions(server().db, caller.ownerId)).filter((one) => one !== "key.created");
  /** A key that has so many days left. */
  async function keyWithDaysLeft(days: number, name = "Production") {
    const { key } = await createKeyOf(server(), caller, { name, expiresInDays: 90 });
    await setDaysLeft(key, days);
    return key;
  }
  const setDaysLeft = (key: { id: string }, days: number) =>
    server()
      .db.update(apiKeys)
      .set({ expiresAt: sql`now() + ${days}::float8 * interval '24 hours'` })
      .where(eq(apiKeys.id, key.id.slice(4)));

  it("is told seven days before, by nobody, with the time", async () => {
    const key = await keyWithDaysLeft(7.01);
    await noteExpiringInTime(server());
    expect(await actions()).toEqual([]);
    await setDaysLeft(key, 6.99);
    await noteExpiringInTime(server());
    const [row] = await server()
      .db.select()
      .from(apiKeys)
      .where(eq(apiKeys.id, key.id.slice(4)));
    expect((await recordedEvents(server().db, caller.ownerId)).slice(1)).toEqual([
      {
        ...{ action: "key.expiring", key: key.id, name: "Production", actor: ["system", null, null] },
        detail: { expiresAt: row?.expiresAt?.toISOString() },
      },
    ]);
  });

  it("is told at once of a key that is made for a shorter time", async () => {
    await createKeyOf(server(), caller, { expiresInDays: 1 });
    await noteExpiringInTime(server());
    expect(await actions()).toEqual(["key.expiring"]);
  });

  it("is told once, though the process starts anew and the key is renamed", async () => {
    const key = await keyWithDaysLeft(6);
    await noteExpiringInTime(server());
    await renameApiKey(server(), caller, { id: key.id, name: "Other" });
    const next = await startTestServer("embedded", server().postgresProxy.target);
    await noteExpiringInTime(next);
    await next.close();
    expect(await actions()).toEqual(["key.expiring", "key.renamed"]);
  });

  it("is told once by several processes at the same time, of each key", async () => {
    for (let at = 0; at < 30; at++) await keyWithDaysLeft(6, `Key ${at}`);
    const others = await Promise.all([1, 2].map(() => startTestServer("embedded", server().postgresProxy.target)));
    const counts = await Promise.all([server(), ...others].map(({ db }) => noteExpiringKeys(db)));
    for (const { db } of [server(), ...others]) counts.push(await noteExpiringKeys(db));
    await Promise.all(others.map((other) => other.close()));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(30);
    expect(await actions()).toEqual(Array<string>(30).fill("key.expiring"));
  });

  it("is told of no key that is revoked, has expired or never expires", async () => {
    const revoked = await keyWithDaysLeft(6);
    await revokeApiKey(server(), caller, revoked);
    await keyWithDaysLeft(-1);
    await createKeyOf(server(), caller);
    await noteExpiringInTime(server());
    expect(await actions()).toEqual(["key.revoked", "key.revocation_effective"]);
  });

  it("is not told of a key whose revocation is just being committed", async () => {
    const key = await keyWithDaysLeft(6);
    const [reached, gate] = [createGate(), createGate()];
    server().postgresProxy.decide = (statement) => {
      if (!statement.startsWith("COMMIT")) return "pass";
      reached.open();
      return gate.opened;
    };
    const revoking = revokeApiKey(server(), caller, key);
    await reached.opened;
    // It waits for nobody.
    const other = await startTestServer("embedded", server().postgresProxy.target);
    expect(await noteExpiringKeys(other.db)).toBe(0);
    gate.open();
    await revoking;
    expect(await noteExpiringKeys(other.db)).toBe(0);
    await other.close();
    expect(await actions()).toEqual(["key.revoked", "key.revocation_effective"]);
  });

  it("is told of many keys, in batches", async () => {
    await createKeyOf(server(), caller);
    await server().db.execute(sql`
      insert into ${apiKeys} (id, owner_id, created_by, name, environment, scopes, created_at, expires_at)
      select gen_random_uuid(), ${caller.ownerId}, ${caller.ownerId}, 'Key ' || n, 'test', '{}', now(), now() + n * interval '1 minute'
      from generate_series(1, 1200) as n`);
    expect(await noteExpiringKeys(server().db)).toBe(500);
    await noteExpiringInTime(server());
    expect(await actions()).toHaveLength(1_200);
    const names = (await recordedEvents(server().db, caller.ownerId)).slice(1).map(({ name }) => name);
    // Those that expire first come first.
    expect(names).toEqual(Array.from({ length: 1_200 }, (_, at) => `Key ${at + 1}`));
  });

  it("stays to be told while the database fails, which harms nothing else", async () => {
    await keyWithDaysLeft(6);
    server().postgresProxy.decide = (statement) => (statement.includes("expiring_noted_at") ? "break" : "pass");
    await noteExpiringInTime(server());
    server().postgresProxy.decide = () => "pass";
    expect(await actions()).toEqual([]);
    await noteExpiringInTime(server());
    expect(await actions()).toEqual(["key.expiring"]);
  });

  it("is told by the cron endpoint, where no address is set, too", async () => {
    await keyWithDaysLeft(6);
    const cronSecret = "0123456789abcdef0123456789abcdef";
    const http = { appOrigin: "", allowedOrigins: [], introspectionSecret: undefined, metricsSecret: undefined };
    const handler = createHandler({ server: server(), identity: noIdentity, http: { ...http, cronSecret } });
    const headers = { authorization: `Bearer ${cronSecret}` };
    const answer = await handler(new Request("https://app.example.com/api/cron/purge", { headers }));
    expect(await answer.json()).toEqual({ confirmed: 0, failed: 0 });
    expect(await actions()).toEqual(["key.expiring"]);
  });

  describe("by a process that lives long", () => {
    let receiver: EventReceiver;
    beforeAll(async () => {
      receiver = await startEventReceiver();
    });
    afterAll(() => receiver.stop());

    it("is recorded and sent", async () => {
      const { id } = await keyWithDaysLeft(6);
      const latchkey = createLatchkey({
        secretFormat: { environment: "test" },
        databaseUrl: server().postgresProxy.target,
        redis: testRedis("embedded"),
        logLevel: "silent",
        events: { url: receiver.url, secret: receiver.secret },
      });
      latchkey.startDraining();
      await expect
        .poll(() => receiver.received.map(({ type }) => type), { timeout: 20_000 })
        .toEqual(["api_key.expiring"]);
      await latchkey.close();
      expect(receiver.received[0]?.data).toMatchObject({ keyId: id, ownerId: caller.ownerId, action: "key.expiring" });
    });
  });
});
