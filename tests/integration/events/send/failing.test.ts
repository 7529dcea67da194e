import { describe, expect, it, vi } from "vitest";

import { createEventSender } from "@/server/events";
import { revokeApiKey } from "@/server/keys";
import { createLogger } from "@/server/platform/logger";
import { eventDeliveries } from "@/server/platform/schema";
import { createKeyOf, newCaller } from "@/tests/support/domain";
import { createGate } from "@/tests/support/gate";
import { ageDeliveries, makeEventsDue } from "@/tests/support/sent-events";

import {
  another,
  caller,
  createEvents,
  handlerOf,
  pauseSeconds,
  readiness,
  receiver,
  sendAll,
  senderOf,
  server,
  typesOf,
  waiting,
  whileSending,
} from "./sending-server";

describe("an event", () => {
  it("that always fails holds up no other", async () => {
    await createEvents(1);
    const poisoned = caller.ownerId;
    receiver.answer = ({ data }) => (data.ownerId === poisoned ? 500 : 204);
    const others = [newCaller(), newCaller()];
    await whileSending(async () => {
      for (const other of others) {
        await createEvents(12, other);
        await expect.poll(() => typesOf(other), { timeout: 10_000 }).toHaveLength(12);
        await makeEventsDue(server.db);
      }
    });
    expect(await waiting()).toEqual(["key.created"]);
  });

  it("that hangs, among many that have failed before and hang now, holds up no new one", async () => {
    await createEvents(30);
    receiver.answer = () => 500;
    while ((await sendAll()).failed < 30);
    const { opened, open } = createGate();
    const poisoned = caller.ownerId;
    receiver.answer = async ({ data }) => {
      if (data.ownerId === poisoned) await opened;
      return 204;
    };
    await makeEventsDue(server.db);
    const before = receiver.received.length;
    const hanging = () => receiver.received.slice(before).filter(({ data }) => data.ownerId === poisoned).length;
    await whileSending(async () => {
      await expect.poll(hanging, { timeout: 10_000 }).toBe(5);
      const other = newCaller();
      await createEvents(12, other);
      await expect.poll(() => typesOf(other), { timeout: 10_000 }).toHaveLength(12);
      // Not one of the places for new ones was taken by them.
      expect(hanging()).toBe(5);
      open();
      await expect.poll(waiting, { timeout: 10_000 }).toEqual([]);
    });
  });

  it("whose receiver hangs delays no revocation", async () => {
    const { key } = await createKeyOf(server, caller);
    await createEvents(30, newCaller());
    const { opened, open } = createGate();
    const answered: string[] = [];
    receiver.answer = async ({ id }) => {
      await opened;
      answered.push(id);
      return 204;
    };
    await whileSending(async () => {
      await expect.poll(() => receiver.received.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(9);
      const { effect } = await revokeApiKey(server, caller, key);
      expect({ status: effect.status, answered }).toEqual({ status: "effective", answered: [] });
      open();
    });
  });

  it("is not sent by more than ten attempts at a time", async () => {
    await createEvents(40);
    let [now, most] = [0, 0];
    receiver.answer = async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      return 204;
    };
    await whileSending(() => expect.poll(waiting, { timeout: 20_000 }).toEqual([]));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(10);
  });

  describe("that the receiver wants no more (410)", () => {
    it("is sent no more by this process, nor is any other; another process sends them all", async () => {
      await createEvents(1);
      receiver.answer = () => 410;
      await sendAll();
      receiver.answer = () => 204;
      await createEvents(2);
      await makeEventsDue(server.db);
      await sendAll();
      await handlerOf()("/api/cron/purge");
      expect(receiver.received).toHaveLength(1);
      expect(await readiness()).toMatchObject({ waiting: 3, givenUp: 0, isRefused: true });
      const next = await another();
      expect(await sendAll(next)).toEqual({ delivered: 3, failed: 0 });
      expect(await readiness()).toMatchObject({ waiting: 0, oldestSeconds: null });
    });

    it("keeps all its attempts for later", async () => {
      await createEvents(1);
      receiver.answer = () => 410;
      await sendAll();
      await ageDeliveries(server.db, 100);
      receiver.answer = () => 500;
      const next = await another();
      await sendAll(next);
      expect(await readiness()).toMatchObject({ waiting: 1, givenUp: 0 });
      expect(await pauseSeconds()).toBeLessThan(10);
    });
  });

  describe("is given up", () => {
    it("three days after its first attempt, counted, told, and never sent again", async () => {
      await createEvents(1);
      receiver.answer = () => 500;
      await sendAll();
      await ageDeliveries(server.db, 71);
      await sendAll();
      expect(await readiness()).toMatchObject({ waiting: 1, givenUp: 0 });
      await ageDeliveries(server.db, 2);
      await sendAll();
      expect(await readiness()).toEqual({ waiting: 0, oldestSeconds: null, givenUp: 1, isRefused: false });
      receiver.answer = () => 204;
      await makeEventsDue(server.db);
      expect(await sendAll()).toEqual({ delivered: 0, failed: 0 });
      expect(receiver.received).toHaveLength(3);
      const metrics = await (await handlerOf()("/api/metrics")).text();
      expect(metrics).toMatch(/^latchkey_events_total\{result="failed"\} 2$/m);
      expect(metrics).toMatch(/^latchkey_events_total\{result="given_up"\} 1$/m);
      expect(metrics).toMatch(/^latchkey_given_up_events 1$/m);
    });

    it("not before a last attempt at the end of these days", async () => {
      await createEvents(1);
      receiver.answer = () => 500;
      for (let attempt = 0; attempt < 9; attempt++) await sendAll();
      await ageDeliveries(server.db, 71);
      await sendAll();
      // Not the 6 hours that would come now.
      expect(await pauseSeconds()).toBeLessThanOrEqual(3_600);
    });

    it("not because nothing was sent for long", async () => {
      await createEvents(1);
      await ageDeliveries(server.db, 1_000);
      receiver.answer = () => 500;
      await sendAll();
      expect(await readiness()).toMatchObject({ waiting: 1, givenUp: 0 });
    });
  });

  it("that fails is logged by its id and the reason, without the address, the secret or the owner", async () => {
    const lines: string[] = [];
    const logger = createLogger("trace", { write: (line) => void lines.push(line) });
    const events = { url: `${receiver.url}?token=hush-hush`, secret: receiver.secret };
    const sender = createEventSender({ ...server, logger, events });
    await createEvents(2);
    receiver.answer = () => (receiver.received.length === 1 ? 500 : (response) => void response.destroy());
    await sender.sendAll();
    await ageDeliveries(server.db, 100);
    receiver.answer = () => 410;
    await sender.sendAll();
    await sender.sendAll();
    server.postgresProxy.sever();
    await createEventSender({ ...server, logger, events }).sendAll();
    server.postgresProxy.heal();
    const messages = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(messages).toContain("event not delivered");
    expect(messages).toContain("the receiver of events has answered 410: this process sends no more");
    expect(messages).toContain("no events claimed");
    expect(lines.join("")).toContain(receiver.received[0]?.id);
    for (const hidden of ["hush-hush", "127.0.0.1", receiver.secret.slice(8, 30), caller.ownerId])
      expect(lines.join("")).not.toContain(hidden);
  });

  it("waits on, and is not counted, when its process ends while the receiver hangs", async () => {
    await createEvents(1);
    receiver.answer = () => () => undefined;
    await whileSending(() => expect.poll(() => receiver.received.length, { timeout: 10_000 }).toBe(1));
    const [row] = await server.db.select().from(eventDeliveries);
    expect(row).toMatchObject({ attempts: 0, claimedUntil: null });
    receiver.answer = () => 204;
    expect(await sendAll(await another())).toEqual({ delivered: 1, failed: 0 });
  });

  it("does not keep its process from ending, though the receiver and then the database hang", async () => {
    await createEvents(9);
    receiver.answer = () => () => undefined;
    const stop = new AbortController();
    let hasEnded = false;
    const ended = senderOf(server)
      .sendUntil(stop.signal)
      .then(() => (hasEnded = true));
    await expect.poll(() => receiver.received.length, { timeout: 10_000 }).toBe(9);
    const heal = createGate();
    server.postgresProxy.decide = () => heal.opened;
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      stop.abort();
      await vi.advanceTimersByTimeAsync(8_000);
      expect(hasEnded).toBe(true);
    } finally {
      vi.useRealTimers();
      heal.open();
    }
    await ended;
  });
});
