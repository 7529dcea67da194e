import { randomBytes } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { createSlots } from "@/server/slot/slot";
import { createLogger } from "@/server/platform/logger";
import { createRedisClients } from "@/server/platform/redis";

import { startProxyOf } from "../support/server-instance";
import { directPlaceOf, redisKinds, testRedis } from "../support/services";
import { redisPrefix } from "../support/slots";

describe.each(redisKinds)("the time budget of a slot read on %s", (redisKind) => {
  it("does not lose an answer that had arrived while this process was busy", async () => {
    const redis = createRedisClients(directPlaceOf(redisKind), createLogger("silent"));
    const slots = createSlots({ redis, prefix: redisPrefix });
    const readAll = () => Promise.allSettled(Array.from({ length: 20 }, () => slots.read(randomBytes(32))));
    // Opens the connections and warms the code, so that the requests below are on their way before the stall.
    for (let round = 0; round < 20; round++) await readAll();
    const reads = readAll();
    await nextTurn();
    await nextTurn();
    // Longer than the budget of 250 ms; Redis answers from another process meanwhile.
    for (const end = performance.now() + 1_000; performance.now() < end;);
    expect((await reads).map((read) => read.status)).toEqual(Array.from({ length: 20 }, () => "fulfilled"));
    redis.close();
  });

  it("still ends a read that is never answered, as a timeout", async () => {
    const { proxy, place } = await startProxyOf(testRedis(redisKind));
    proxy.decide = () => "hang";
    const redis = createRedisClients(place, createLogger("silent"));
    const slots = createSlots({ redis, prefix: redisPrefix });
    await expect(slots.read(randomBytes(32))).rejects.toMatchObject({ name: "TimeoutError" });
    redis.close();
    await proxy.stop();
  });
});
