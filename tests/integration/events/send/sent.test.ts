import { sql } from "drizzle-orm";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";

import { claimDeliveries } from "@/server/events/deliveries";
import { revokeApiKey } from "@/server/keys";
import { closeOwner } from "@/server/owners";
import { eventDeliveries, keyEvents } from "@/server/platform/schema";
import { createKeyOf } from "@/tests/support/domain";
import { newSecret, startEventReceiver } from "@/tests/support/event-receiver";
import { createGate } from "@/tests/support/gate";
import { storeOldEvents } from "@/tests/support/recorded-events";

import {
  another,
  caller,
  createEvents,
  others,
  receiver,
  sendAll,
  senderOf,
  server,
  typesOf,
  waiting,
  whileSending,
} from "./sending-server";

describe("an event", () => {
  describe("is sent", () => {
    it("as the history tells it, with its owner, and leaves nothing that waits", async () => {
      const { key } = await createKeyOf(server, caller, { name: "Production" });
      await closeOwner(server, { ownerId: caller.ownerId, reason: "banned", at: new Date(Date.UTC(2026, 0, 1)) });
      expect(await sendAll()).toEqual({ delivered: 4, failed: 0 });
      expect(await waiting()).toEqual([]);
      const rows = await server.db.select().from(keyEvents).orderBy(keyEvents.id);
      const bodies = receiver.received.map(({ id, body }) => ({ id, body: JSON.parse(body) as object }));
      const byId = new Map(bodies.map(({ id, body }) => [id, body]));
      const [created, closed] = rows;
      const common = (row: typeof created) => ({ id: row?.id, at: row?.at.toISOString(), ownerId: caller.ownerId });
      expect(byId.get(created?.id ?? "")).toEqual({
        type: "api_key.created",
        timestamp: created?.at.toISOString(),
        data: {
          ...common(created),
          ...{ action: "key.created", keyId: key.id, keyName: "Production", detail: {} },
          actor: { kind: "user", id: caller.userId },
        },
      });
      expect(byId.get(closed?.id ?? "")).toEqual({
        type: "owner.closed",
        timestamp: closed?.at.toISOString(),
        data: {
          ...common(closed),
          ...{ action: "owner.closed", keyId: null, keyName: null, detail: { reason: "banned" } },
          actor: { kind: "clerk", id: null },
        },
      });
      expect(receiver.received[0]?.headers["content-type"]).toBe("application/json");
    });

    it("soon after its commit by a process that lives long, once", async () => {
      await whileSending(async () => {
        await createEvents(3);
        await expect.poll(() => typesOf(caller), { timeout: 10_000 }).toHaveLength(3);
        await createEvents(1);
        await expect.poll(() => typesOf(caller), { timeout: 10_000 }).toHaveLength(4);
      });
      expect(await waiting()).toEqual([]);
    });

    it("once, though several processes send at the same time", async () => {
      await createEvents(60);
      await whileSending(() => expect.poll(waiting, { timeout: 20_000 }).toEqual([]), server, await another());
      await Promise.all([sendAll(), sendAll(others[0])]);
      expect(typesOf(caller)).toHaveLength(60);
      expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(60);
    });

    it("by one of those that claim it at the same moment", async () => {
      await createEvents(40);
      const places = { all: 40, first: 40, again: 0 };
      const claimed = await Promise.all(Array.from({ length: 8 }, () => claimDeliveries(server.db, places)));
      const ids = claimed.flat().map(({ id }) => id);
      expect(ids).toHaveLength(40);
      expect(new Set(ids).size).toBe(40);
    });

    it("without waiting for others that somebody has locked", async () => {
      await createEvents(5);
      const [reached, gate] = [createGate(), createGate()];
      const locking = server.db.transaction(async (transaction) => {
        await transaction.select().from(eventDeliveries).limit(2).for("update");
        reached.open();
        await gate.opened;
      });
      await reached.opened;
      expect(await sendAll()).toEqual({ delivered: 3, failed: 0 });
      gate.open();
      await locking;
      expect(await sendAll()).toEqual({ delivered: 2, failed: 0 });
    });

    it("though Redis is down", async () => {
      const { key } = await createKeyOf(server, caller);
      server.redisProxy.decide = () => "refuse";
      await revokeApiKey(server, caller, key);
      await sendAll();
      expect(typesOf(caller)).toEqual(["api_key.created", "api_key.revoked"]);
    });

    it("with the signature of each secret while the secret is changed, so a receiver may have either", async () => {
      const [old, next] = [receiver.secret, newSecret()];
      const both = await another({ secret: `${old} ${next}` });
      for (const secret of [old, next]) {
        receiver.secret = secret;
        await createEvents(1);
        expect(await sendAll(both)).toEqual({ delivered: 1, failed: 0 });
      }
      for (const { headers, body } of receiver.received) {
        expect(String(headers["webhook-signature"]).split(" ")).toHaveLength(2);
        for (const secret of [old, next])
          expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toBeTruthy();
      }
      receiver.secret = old;
    });
  });

  it("that is gone from the history is not sent, and waits no more", async () => {
    await storeOldEvents(server.db, caller.ownerId, 400);
    const now = sql`clock_timestamp()`;
    await server.db
      .insert(eventDeliveries)
      .values({ eventId: crypto.randomUUID(), createdAt: now, nextAttemptAt: now });
    await sendAll();
    expect(receiver.received).toEqual([]);
    expect(await server.db.$count(eventDeliveries)).toBe(0);
  });

  it("is left for the next call of the cron job when its time is over", async () => {
    await createEvents(25);
    let seconds = 0;
    const told = await senderOf(server).sendAll(() => (seconds += 3) * 1_000);
    expect(told.delivered).toBeLessThan(25);
    expect(await waiting()).toHaveLength(25 - told.delivered);
    await sendAll();
    expect(await waiting()).toEqual([]);
  });

  it("is sent to the address and no other, when the address changes", async () => {
    await createEvents(1);
    receiver.answer = () => 500;
    await sendAll();
    const moved = await startEventReceiver();
    const next = await another({ url: moved.url, secret: moved.secret });
    await sendAll(next);
    expect([receiver.received.length, moved.received.length]).toEqual([1, 1]);
    await moved.stop();
  });
});
