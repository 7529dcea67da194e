import { createLatchkey } from "latchkey";
import { beforeEach, describe, expect, it } from "vitest";

import { createPruner, pruneEvents, pruneInTime } from "@/server/history/prune";
import { createHandler } from "@/server/http/handler";
import { noIdentity } from "@/server/http/no-identity";
import { createKeyOf, newCaller, startTestServer, useTestServer } from "@/tests/support/domain";
import { createGate } from "@/tests/support/gate";
import { recordedActions, storeOldEvents } from "@/tests/support/recorded-events";
import { testRedis } from "@/tests/support/services";

const isDelete = (statement: string) => statement.includes('delete from "latchkey"."key_events"');

describe("old events", () => {
  const server = useTestServer("embedded");
  const actions = (ownerId: string) => recordedActions(server().db, ownerId);
  beforeEach(() => {
    server().postgresProxy.decide = () => "pass";
  });

  it("are deleted once they are older than the history is kept, and no younger one", async () => {
    const caller = newCaller();
    await createKeyOf(server(), caller);
    await storeOldEvents(server().db, caller.ownerId, 364.99);
    await storeOldEvents(server().db, caller.ownerId, 365.01);
    expect(await pruneEvents(server())).toBe(1);
    expect(await actions(caller.ownerId)).toEqual(["owner.reopened", "key.created"]);
  });

  it("are those of the days that the setting names", async () => {
    const { ownerId } = newCaller();
    for (const daysAgo of [1.5, 29.9, 30.1, 99]) await storeOldEvents(server().db, ownerId, daysAgo);
    const kept = async (historyDays: number) => {
      await pruneInTime({ ...server(), settings: { historyDays } });
      return (await actions(ownerId)).length;
    };
    expect([await kept(100), await kept(30), await kept(1)]).toEqual([4, 2, 0]);
  });

  it("are deleted in small batches, each in a transaction of its own", async () => {
    const { ownerId } = newCaller();
    await storeOldEvents(server().db, ownerId, 400, 2_300);
    let deletes = 0;
    server().postgresProxy.decide = (statement) => {
      if (isDelete(statement)) deletes++;
      return "pass";
    };
    await pruneInTime(server());
    expect({ deletes, left: await actions(ownerId) }).toEqual({ deletes: 3, left: [] });
  });

  it("are left for the next call of the cron job when its time is over", async () => {
    const { ownerId } = newCaller();
    await storeOldEvents(server().db, ownerId, 400, 2_300);
    let seconds = 0;
    await pruneInTime(server(), () => (seconds += 1.5) * 1_000);
    expect(await actions(ownerId)).toHaveLength(300);
    await pruneInTime(server());
    expect(await actions(ownerId)).toEqual([]);
  });

  it("are deleted by one of several processes, and the others do not wait for it", async () => {
    const { ownerId } = newCaller();
    await storeOldEvents(server().db, ownerId, 400, 1_500);
    const other = await startTestServer("embedded", server().postgresProxy.target);
    try {
      const [reached, gate] = [createGate(), createGate()];
      server().postgresProxy.decide = (statement) => {
        if (!isDelete(statement)) return "pass";
        reached.open();
        return gate.opened;
      };
      const pruning = pruneEvents(server());
      await reached.opened;
      expect(await pruneEvents(other)).toBe(0);
      gate.open();
      expect(await pruning).toBe(1_000);
      expect(await pruneEvents(other)).toBe(500);
    } finally {
      await other.close();
    }
  });

  it("are looked for once an hour by a process that lives long, and at once again while there are more", async () => {
    const { ownerId } = newCaller();
    await storeOldEvents(server().db, ownerId, 400, 1_200);
    let milliseconds = 0;
    const prune = createPruner(server(), () => milliseconds);
    await prune();
    expect(await actions(ownerId)).toHaveLength(200);
    await prune();
    expect(await actions(ownerId)).toEqual([]);
    await storeOldEvents(server().db, ownerId, 400);
    milliseconds += 3_599_999;
    await prune();
    expect(await actions(ownerId)).toHaveLength(1);
    milliseconds += 1;
    await prune();
    expect(await actions(ownerId)).toEqual([]);
  });

  it("stay while the database fails, which harms nothing else, and go a minute later", async () => {
    const { ownerId } = newCaller();
    await storeOldEvents(server().db, ownerId, 400);
    let milliseconds = 0;
    const prune = createPruner(server(), () => milliseconds);
    server().postgresProxy.decide = (statement) => (isDelete(statement) ? "break" : "pass");
    await prune();
    await pruneInTime(server());
    server().postgresProxy.decide = () => "pass";
    await prune();
    expect(await actions(ownerId)).toHaveLength(1);
    milliseconds = 60_000;
    await prune();
    expect(await actions(ownerId)).toEqual([]);
  });

  it("are deleted by the server that drains, and by the cron endpoint", async () => {
    const { ownerId } = newCaller();
    await storeOldEvents(server().db, ownerId, 40);
    const latchkey = createLatchkey({
      secretFormat: { environment: "test" },
      databaseUrl: server().postgresProxy.target,
      redis: testRedis("embedded"),
      logLevel: "silent",
      historyDays: 30,
    });
    latchkey.startDraining();
    await expect.poll(() => actions(ownerId), { timeout: 10_000 }).toEqual([]);
    await latchkey.close();

    await storeOldEvents(server().db, ownerId, 400);
    const cronSecret = "0123456789abcdef0123456789abcdef";
    const http = { appOrigin: "", allowedOrigins: [], introspectionSecret: undefined, metricsSecret: undefined };
    const handler = createHandler({ server: server(), identity: noIdentity, http: { ...http, cronSecret } });
    const headers = { authorization: `Bearer ${cronSecret}` };
    const answer = await handler(new Request("https://app.example.com/api/cron/purge", { headers }));
    expect({ status: answer.status, told: (await answer.json()) as unknown }).toEqual({
      status: 200,
      told: { confirmed: 0, failed: 0 },
    });
    expect(await actions(ownerId)).toEqual([]);
  });
});
