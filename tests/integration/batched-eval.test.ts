import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { ScriptCall } from "@/server/platform/redis";
import { createRestClients } from "@/server/platform/redis-by-rest";

import { type RedisProxy, startRedisProxy } from "../support/redis-proxy";
import { restKinds } from "../support/redis-kinds";
import { testRedis } from "../support/services";

const script = "if ARGV[1] == 'bad' then return redis.error_reply('ERR bad') end return KEYS[1] .. '=' .. ARGV[1]";

// Over a connection that is kept open each call is sent for itself, see redis-by-tcp.test.ts.
describe.each(restKinds)("a batched EVAL on %s", (redisKind) => {
  let proxy: RedisProxy;
  let evaluate: (call: ScriptCall) => Promise<unknown>;
  const key = `batch:${randomUUID()}`;
  const call = (argument: string) => evaluate({ keys: [key], args: [argument] });

  beforeEach(async () => {
    proxy = await startRedisProxy(testRedis(redisKind).url);
    evaluate = evaluateWithin(10_000);
  });
  afterEach(() => proxy.stop());

  /** Budgets are for the one test that waits for one: nothing else depends on how busy the machine is. */
  const evaluateWithin = (slotMilliseconds: number) => {
    const place = { url: proxy.url, token: testRedis(redisKind).token };
    return createRestClients(place, { slotMilliseconds, purgeMilliseconds: 10_000 }).slot.forManyCallers(script);
  };
  const commandsOf = (body: string) => {
    const command = JSON.parse(body) as unknown[];
    return Array.isArray(command[0]) ? command.length : 1;
  };

  it("sends a lone call at once, and what comes meanwhile in one more request", async () => {
    const calls = Array.from({ length: 50 }, (_, at) => call(String(at)));
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 50 }, (_, at) => `${key}=${at}`));
    expect(proxy.requests.map(commandsOf)).toEqual([1, 49]);
  });

  it("never waits for an earlier request", async () => {
    evaluate = evaluateWithin(1_000);
    proxy.decide = (body) => (body.includes("hangs") ? "hang" : "pass");
    const hanging = call("hangs");
    await nextTurn();
    expect(await call("passes")).toBe(`${key}=passes`);
    await expect(hanging).rejects.toMatchObject({ name: "TimeoutError" });
  });

  it("splits what would make a request too large", async () => {
    await Promise.all(Array.from({ length: 250 }, (_, at) => call(String(at))));
    expect(proxy.requests.map(commandsOf).toSorted((a, b) => a - b)).toEqual([1, 49, 100, 100]);
  });

  it("fails only the call whose script failed", async () => {
    const [first, bad, good] = await Promise.allSettled([call("first"), call("bad"), call("good")]);
    expect(first).toEqual({ status: "fulfilled", value: `${key}=first` });
    expect(bad).toMatchObject({ status: "rejected" });
    expect(good).toEqual({ status: "fulfilled", value: `${key}=good` });
  });

  it.each(["refuse", { status: 500, body: "{}" }, { status: 200, body: "null" }] as const)(
    "fails every call of a request that failed with %j, with one error",
    async (fate) => {
      proxy.decide = (body) => (commandsOf(body) > 1 ? fate : "pass");
      const [first, ...others] = await Promise.allSettled([call("first"), call("one"), call("two")]);
      expect(first.status).toBe("fulfilled");
      const [one, two] = others.map((outcome) => (outcome.status === "rejected" ? (outcome.reason as Error) : null));
      expect(one).toBeInstanceOf(Error);
      expect(two).toBe(one);
    },
  );

  it.each(['[{"result":"VDo="}]', "[]", '[{"result":"VDo="},{"result":"VDo="},{"result":"VDo="}]'])(
    "takes nothing from an answer of another length, %s",
    async (body) => {
      proxy.decide = (request) => (commandsOf(request) > 1 ? { status: 200, body } : "pass");
      const outcomes = await Promise.allSettled([call("first"), call("one"), call("two")]);
      expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
    },
  );

  it("takes no result for one where there is only its error", async () => {
    const answer = '[{"error":"ERR one"},{"result":"dHdv"}]';
    proxy.decide = (request) => (commandsOf(request) > 1 ? { status: 200, body: answer } : "pass");
    const outcomes = await Promise.allSettled([call("first"), call("one"), call("two")]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });
});
