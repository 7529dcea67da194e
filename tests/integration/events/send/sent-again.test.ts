import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";

import { eventDeliveries } from "@/server/platform/schema";
import { createKeyOf, newCaller } from "@/tests/support/domain";
import { crash } from "@/tests/support/doomed-process";
import type { EventReceiver } from "@/tests/support/event-receiver";
import { makeEventsDue } from "@/tests/support/sent-events";

import {
  another,
  caller,
  createEvents,
  handlerOf,
  pauseSeconds,
  receiver,
  sendAll,
  server,
  typesOf,
  waiting,
  whileSending,
} from "./sending-server";

describe("an event", () => {
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
});
