import { describe, expect, it } from "vitest";

import type { RedisKind } from "@/tests/support/redis-kinds";
import { redisWays, testDatabaseUrl, testRedis } from "@/tests/support/services";

import { createSetAndDelSlots, withoutEchoCheck } from "./naive-slots";
import { race, type RaceOptions } from "./race";

async function run(kind: RedisKind, options: Pick<RaceOptions, "seed" | "milliseconds" | "slots">) {
  const report = await race({ ...options, databaseUrl: await testDatabaseUrl(), redis: testRedis(kind) });
  console.log(JSON.stringify({ kind, seed: options.seed, ...report.counts, violations: report.violations.length }));
  return report;
}

describe.each(redisWays)("the history of many raced calls under faults, on %s,", (kind) => {
  it(
    "holds no accepted key after an effective or guaranteed revocation, and no refused valid key",
    { timeout: 240_000 },
    async () => {
      // Longer than the 65 s of a guarantee, so that keys whose every purge was lost are judged as well.
      const { violations, counts } = await run(kind, { seed: 20261124, milliseconds: 80_000 });
      expect(violations).toEqual([]);
      expect(counts.lostRevocations).toBe(0);
      // A run that saw less than this has not tested anything.
      expect(counts.raced).toBeGreaterThanOrEqual(1_000);
      expect(counts.fillsRefused).toBeGreaterThanOrEqual(100);
      expect(counts.pending).toBeGreaterThan(0);
      expect(counts.rotations).toBeGreaterThanOrEqual(10);
    },
  );
});

// What they check is the checker, which is the same by every way to Redis.
describe("the checker of raced histories", () => {
  const [kind = "embedded"] = redisWays;

  it("finds the late fills of a cache that uses SET and DEL", { timeout: 240_000 }, async () => {
    expect(await findsFault(kind, (_slots, server) => createSetAndDelSlots(server.redis.slot))).toBe(true);
  });

  it("finds the false promises of a purge without the echo check", { timeout: 240_000 }, async () => {
    expect(await findsFault(kind, withoutEchoCheck)).toBe(true);
  });
});

/** Positive control: a faulty protocol is found out within a few short runs. A checker that cannot fail shows nothing. */
async function findsFault(kind: RedisKind, slots: NonNullable<RaceOptions["slots"]>): Promise<boolean> {
  for (let seed = 1; seed <= 5; seed++) {
    const { violations } = await run(kind, { seed, milliseconds: 10_000, slots });
    if (violations.some(({ rule }) => rule === "accepted after effective")) return true;
  }
  return false;
}
