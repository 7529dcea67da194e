import { randomBytes } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { createSlots } from "@/server/slot/slot";
import { createRedisClients } from "@/server/platform/redis";

import { startRedisProxy } from "../support/redis-proxy";
import { redisKinds, testRedis } from "../support/services";
import { redisPrefix } from "../support/slots";

describe.each(redisKinds)("the time budget of a slot read on %s", (redisKind) => {
  it("does not lose an answer that had arrived while this process was busy", async () => {
    const slots = createSlots({ redis: createRedisClients(testRedis(redisKind)), prefix: redisPrefix });
    const readAll = () => Promise.allSettled(Array.from({ length: 20 }, () => slots.read(randomBytes(32))));
    // Opens the connections and warms the code, so that the requests below are on their way before the stall.
    for (let round = 0; round < 20; round++) await readAll();
    const reads = readAll();
    await nextTurn();
    await nextTurn();
    // Longer than the budget of 250 ms; Redis answers from another process meanwhile.
    for (const end = performance.now() + 1_000; performance.now() < end;);
    expect((await reads).map((read) => read.status)).toEqual(Array.from({ length: 20 }, () => "fulfilled"));
  });

  it("still ends a read that is never answered, as a timeout", async () => {
    const proxy = await startRedisProxy(testRedis(redisKind).url);
    proxy.decide = () => "hang";
    const redis = createRedisClients({ url: proxy.url, token: testRedis(redisKind).token });
    const slots = createSlots({ redis, prefix: redisPrefix });
    await expect(slots.read(randomBytes(32))).rejects.toMatchObject({ name: "TimeoutError" });
    await proxy.stop();
  });
});
