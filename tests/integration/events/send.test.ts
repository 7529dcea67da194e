import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";

import { sql } from "drizzle-orm";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { attemptToSend } from "@/server/events/attempt";
import { createEventSender } from "@/server/events";
import { claimDeliveries } from "@/server/events/deliveries";
import { createHandler } from "@/server/http/handler";
import { noIdentity } from "@/server/http/no-identity";
import { type Caller, revokeApiKey } from "@/server/keys";
import { closeOwner } from "@/server/owners";
import { createLogger } from "@/server/platform/logger";
import { eventDeliveries, keyEvents } from "@/server/platform/schema";
import { createKeyOf, newCaller, startTestServer } from "@/tests/support/domain";
import { crash } from "@/tests/support/doomed-process";
import { type EventReceiver, newSecret, startEventReceiver } from "@/tests/support/event-receiver";
import { createGate } from "@/tests/support/gate";
import { storeOldEvents } from "@/tests/support/recorded-events";
import { ageDeliveries, makeEventsDue, waitingActions } from "@/tests/support/sent-events";
import type { TestServer } from "@/tests/support/server-instance";
import { testDatabaseUrl } from "@/tests/support/services";

const cronSecret = "0123456789abcdef0123456789abcdef";

describe("an event", () => {
  let receiver: EventReceiver;
  let server: TestServer;
  let caller: Caller;
  const others: TestServer[] = [];
  beforeEach(async () => {
    receiver = await startEventReceiver();
    server = await start(await testDatabaseUrl());
    caller = newCaller();
  });
  afterEach(async () => {
    await Promise.all([server, ...others.splice(0)].map((one) => one.close()));
    await receiver.stop();
  });

  async function start(database: string, changes: { secret?: string; url?: string } = {}): Promise<TestServer> {
    const { secret = receiver.secret, url: address = receiver.url } = changes;
    return startTestServer("embedded", database, { keyLimit: 1_000, events: { url: address, secret } });
  }
  async function another(changes: { secret?: string; url?: string } = {}): Promise<TestServer> {
    const other = await start(server.postgresProxy.target, changes);
    others.push(other);
    return other;
  }
  function senderOf({ events }: TestServer) {
    if (!events) throw new Error("nothing is sent");
    return events;
  }
  const sendAll = (one = server) => senderOf(one).sendAll();
  const createEvents = async (count: number, owner = caller) => {
    for (let at = 0; at < count; at++) await createKeyOf(server, owner);
  };
  const waiting = (owner = caller) => waitingActions(server.db, owner.ownerId);
  const typesOf = ({ ownerId }: Caller) =>
    receiver.received.filter(({ data }) => data.ownerId === ownerId).map(({ type }) => type);
  /** Runs the sender of a process until `work` is done. */
  async function whileSending(work: () => Promise<void>, ...servers: TestServer[]): Promise<void> {
    const stop = new AbortController();
    const ends = (servers.length > 0 ? servers : [server]).map((one) => senderOf(one).sendUntil(stop.signal));
    try {
      await work();
    } finally {
      stop.abort();
      await Promise.all(ends);
    }
  }
  const handlerOf = () => {
    const http = { appOrigin: "", allowedOrigins: [], introspectionSecret: undefined, metricsSecret: cronSecret };
    const handler = createHandler({ server, identity: noIdentity, http: { ...http, cronSecret } });
    return (path: string) =>
      handler(new Request(`https://app.example.com${path}`, { headers: { authorization: `Bearer ${cronSecret}` } }));
  };
  const readiness = async () => {
    const answer = await handlerOf()("/api/health/ready");
    return ((await answer.json()) as { events: object }).events;
  };

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

  describe("is sent again", () => {
    it.each<[string, Awaited<ReturnType<EventReceiver["answer"]>>]>([
      ["a fault of the receiver", 500],
      ["a refusal", 400],
      ["an address that is not there", 404],
      ["too many requests", 429],
      ["nothing to do", 304],
      ["a redirect, which is not followed", { status: 307, headers: { location: "/elsewhere" } }],
      ["a redirect to what is gone, which is not followed", { status: 302, headers: { location: "/gone" } }],
      ["a connection that breaks", (response) => void response.destroy()],
      ["what is no HTTP", (response) => void response.socket?.end("hello\r\n\r\n")],
    ])("after %s", async (_title, answer) => {
      await createEvents(1);
      receiver.answer = ({ path }) => (path === "/events" ? answer : 410);
      expect(await sendAll()).toEqual({ delivered: 0, failed: 1 });
      expect(receiver.received.map(({ path }) => path)).toEqual(["/events"]);
      expect(await waiting()).toEqual(["key.created"]);
      receiver.answer = () => 200;
      expect(await sendAll()).toEqual({ delivered: 1, failed: 0 });
      expect(await waiting()).toEqual([]);
    });

    it("with the same id and the same body, byte by byte, and the time of the attempt", async () => {
      await createKeyOf(server, caller, { name: "Prüfung 🔑" });
      receiver.answer = () => 500;
      await sendAll();
      const clock = await another();
      await sendAll(clock);
      receiver.answer = () => 204;
      await sendAll();
      const [first, ...more] = receiver.received;
      expect(more).toHaveLength(2);
      for (const { id, body, headers } of more) {
        expect({ id, body }).toEqual({ id: first?.id, body: first?.body });
        expect(Number(headers["webhook-timestamp"])).toBeGreaterThanOrEqual(
          Number(first?.headers["webhook-timestamp"]),
        );
      }
    });

    it("after 2, 10 and 60 s, and then after longer pauses", async () => {
      await createEvents(1);
      receiver.answer = () => 503;
      const pauses: number[] = [];
      for (let attempt = 0; attempt < 4; attempt++) {
        await makeEventsDue(server.db);
        await sendAll();
        pauses.push(await pauseSeconds());
      }
      [2, 10, 60, 180].forEach((least, at) => {
        expect(pauses[at]).toBeGreaterThanOrEqual(least);
        expect(pauses[at]).toBeLessThan(least * 4);
      });
    });

    it.each([
      ["100", 100, 200],
      ["7200", 3_600, 3_700],
      // No shorter than without it.
      ["0", 2, 100],
      [() => new Date(Date.now() + 600_000).toUTCString(), 590, 700],
    ])("not before the time that the receiver asks for, up to an hour (%s)", async (value, least, most) => {
      await createEvents(1);
      receiver.answer = () => ({
        status: 503,
        headers: { "retry-after": typeof value === "string" ? value : value() },
      });
      await sendAll();
      expect(await pauseSeconds()).toBeGreaterThanOrEqual(least);
      expect(await pauseSeconds()).toBeLessThan(most);
    });

    it("by the loop only when its pause is over; by the cron endpoint at once", async () => {
      await createEvents(1);
      receiver.answer = () => 500;
      await sendAll();
      await server.db.update(eventDeliveries).set({ nextAttemptAt: sql`now() + interval '1 hour'` });
      receiver.answer = () => 204;
      const later = newCaller();
      await whileSending(async () => {
        await createEvents(1, later);
        await expect.poll(() => typesOf(later), { timeout: 10_000 }).toHaveLength(1);
      });
      expect(typesOf(caller)).toHaveLength(1);
      const answer = await handlerOf()("/api/cron/purge");
      expect(await answer.json()).toEqual({ confirmed: 0, failed: 0, events: { delivered: 1, failed: 0 } });
      expect(typesOf(caller)).toHaveLength(2);
    });

    it("when it was delivered, but that could not be noted", async () => {
      await createEvents(1);
      server.postgresProxy.decide = (statement) => (isSettlement(statement) ? "break" : "pass");
      await sendAll();
      server.postgresProxy.decide = () => "pass";
      // Somebody else may still have it: until the claim is over nobody takes it.
      expect(await sendAll()).toEqual({ delivered: 0, failed: 0 });
      await makeEventsDue(server.db);
      expect(await sendAll()).toEqual({ delivered: 1, failed: 0 });
      expect(typesOf(caller)).toHaveLength(2);
    });

    it("once the database is back, by the same loop", async () => {
      await createEvents(1);
      let claims = 0;
      server.postgresProxy.decide = (statement) => (isClaim(statement) && ++claims <= 2 ? "break" : "pass");
      await whileSending(() => expect.poll(() => typesOf(caller), { timeout: 10_000 }).toHaveLength(1));
      expect(claims).toBeGreaterThan(2);
    });
  });

  const isClaim = (statement: string) => statement.includes("with first_due");
  const isSettlement = (statement: string) => /^\s*delete from "latchkey"."event_deliveries"/.test(statement);
  async function pauseSeconds(): Promise<number> {
    const { rows } = await server.db.execute<{ seconds: string }>(
      sql`select extract(epoch from next_attempt_at - last_attempt_at) as seconds from ${eventDeliveries}`,
    );
    return Number(rows[0]?.seconds);
  }

  describe("is not lost by a process that is killed", () => {
    it.each([
      { step: "before it claims the event", postgres: isClaim, executes: false, attempts: 1 },
      { step: "after it has claimed the event", postgres: isClaim, executes: true, attempts: 1 },
      { step: "before it notes that the event was delivered", postgres: isSettlement, executes: false, attempts: 2 },
      { step: "after it has noted that", postgres: isSettlement, executes: true, attempts: 1 },
    ])("$step", async ({ attempts, ...step }) => {
      await createEvents(1);
      await crash(server, "embedded", step, { do: "send" }, { events: receiver });
      await makeEventsDue(server.db);
      await sendAll();
      expect({ types: typesOf(caller), left: await waiting() }).toEqual({
        types: Array<string>(attempts).fill("api_key.created"),
        left: [],
      });
    });

    it("while it waits for the receiver's answer", async () => {
      await createEvents(1);
      await crash(
        server,
        "embedded",
        { executes: false },
        { do: "send" },
        {
          events: receiver,
          arm: (kill) => {
            receiver.answer = () => {
              kill();
              return () => undefined;
            };
          },
        },
      );
      receiver.answer = () => 204;
      expect(await waiting()).toEqual(["key.created"]);
      await makeEventsDue(server.db);
      await sendAll();
      expect(typesOf(caller)).toEqual(["api_key.created", "api_key.created"]);
    });
  });

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

describe("an attempt", () => {
  let server: Server;
  const never = new AbortController().signal;
  const message = { headers: {}, body: "{}" };
  const listen = async (write: (socket: Socket) => void) => {
    server = createServer();
    server.on("connection", (socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => write(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  };
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it("ends in time, however slowly the receiver drips", async () => {
    const url = await listen((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      const drip = setInterval(() => socket.write("x-drip: 1\r\n"), 5);
      socket.on("close", () => clearInterval(drip));
    });
    const outcome = await attemptToSend(url, message, never, 200);
    expect(outcome).toEqual({ result: "failed", reason: "no answer in time", retryAfterSeconds: 0 });
  });

  it("does not wait for the rest of an answer", async () => {
    const url = await listen((socket) => {
      socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
      const drip = setInterval(() => socket.write("1\r\nx\r\n"), 5);
      socket.on("close", () => clearInterval(drip));
    });
    expect(await attemptToSend(url, message, never)).toEqual({ result: "delivered" });
  });
});
