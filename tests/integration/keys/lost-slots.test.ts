import { describe, expect, it } from "vitest";

import { revokeApiKey, verifyApiKey } from "@/server/keys";
import { startTestServer } from "@/tests/support/domain";
import { createWarmKey } from "@/tests/support/server-instance";
import { redisWays, testDatabaseUrl } from "@/tests/support/services";
import { slotKeyOf } from "@/tests/support/slots";

const inFlight = 8;
const keysOfEach = 4;
const rounds = 20;

describe.each(redisWays)("when Redis loses every slot in the middle of a load, on %s,", (kind) => {
  it("no verdict is wrong, and each key's row is read once, and once more where its fill was lost too", async () => {
    const server = await startTestServer(kind, await testDatabaseUrl());
    const keys = await Promise.all(Array.from({ length: inFlight * keysOfEach }, () => createWarmKey(server)));
    const revoked = new Set(keys.filter((_, at) => at % keysOfEach === 0));
    for (const { caller, key } of revoked) await revokeApiKey(server, caller, key);
    const loseSlots = () =>
      server.redis.slot.evaluate("return redis.call('DEL', unpack(KEYS))", {
        keys: keys.map(({ secret }) => slotKeyOf(secret)),
        args: [],
      });
    let right = 0;
    /** Each loop has keys of its own and waits for their fills. So no two verifications of a key meet. */
    const load = (times: number, afterEach: () => Promise<unknown>) =>
      Promise.all(
        Array.from({ length: inFlight }, async (_, loop) => {
          const fills: Promise<void>[] = [];
          const ctx = { ...server, defer: (task: () => Promise<void>) => void fills.push(task()) };
          for (let round = 0; round < times; round++)
            for (const key of keys.slice(loop * keysOfEach, (loop + 1) * keysOfEach)) {
              const { valid } = await verifyApiKey(ctx, key.secret);
              await Promise.all(fills.splice(0));
              if (valid !== revoked.has(key)) right++;
              await afterEach();
            }
        }),
      );
    await load(1, () => Promise.resolve());
    server.postgresProxy.statements.length = 0;
    right = 0;
    let made = 0;
    await load(rounds, async () => {
      if (++made === (keys.length * rounds) / 2) await loseSlots();
    });
    const reads = server.postgresProxy.statements.filter((statement) => statement.includes("secret_hash"));
    await server.close();

    expect(right).toBe(keys.length * rounds);
    expect(reads.length).toBeGreaterThanOrEqual(keys.length);
    expect(reads.length).toBeLessThanOrEqual(keys.length + inFlight);
  });
});
