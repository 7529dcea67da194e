import { randomUUID } from "node:crypto";

import { Redis } from "@upstash/redis";
import { eq } from "drizzle-orm";
import { describe, expect, it } from "vitest";

import { revokeApiKey, verifyApiKey } from "@/server/keys";
import { hashSecret } from "@/server/keys/secret";
import { createWithApiKey } from "@/server/http/with-api-key";
import { owners } from "@/server/platform/schema";
import { startTestServer } from "@/tests/support/domain";
import { createWarmKey } from "@/tests/support/server-instance";
import { redisKinds, testDatabaseUrl, testRedis } from "@/tests/support/services";

describe.each(redisKinds)("API_KEY_REDIS_PREFIX on %s", (redisKind) => {
  const redis = () => new Redis(testRedis(redisKind));
  async function start(prefix?: string) {
    const server = await startTestServer(
      redisKind,
      await testDatabaseUrl(),
      prefix === undefined ? {} : { redisPrefix: prefix },
    );
    await server.redisAnswers();
    return server;
  }

  it.each([
    ["by default", "latchkey:", undefined],
    ["where it is set", "host-app:keys:", "host-app:keys:"],
  ])("begins every key in Redis, of slots and of limits, %s", async (_title, prefix, setting) => {
    const server = await start(setting);
    const { caller, key, secret } = await createWarmKey(server);
    await server.db.update(owners).set({ requestsPerMinute: 1000 }).where(eq(owners.id, caller.ownerId));
    const hash = hashSecret(secret).toString("hex");
    const keysOf = async () => [
      ...(await redis().keys(`*${hash}*`)),
      ...(await redis().keys(`*${caller.ownerId}*`)).map((name) => name.replace(/:\d+$/, "")),
    ];
    expect((await keysOf()).toSorted()).toEqual([`${prefix}ak:${hash}`, `${prefix}limit:create:${caller.ownerId}`]);
    await redis().del(`${prefix}ak:${hash}`);
    await createWithApiKey(() => server)(() => new Response())(
      new Request("http://localhost/x", { headers: { "x-api-key": secret } }),
      {},
    );
    await revokeApiKey(server, caller, key);
    expect((await keysOf()).toSorted()).toEqual([
      `${prefix}ak:${hash}`,
      `${prefix}limit:create:${caller.ownerId}`,
      `${prefix}limit:owner:${caller.ownerId}`,
    ]);
    await server.close();
  });

  it("keeps two apps with one Redis apart: neither reads, fills nor purges a slot of the other", async () => {
    const [one, other] = [await start(`${randomUUID()}:`), await start(`${randomUUID()}:`)];
    const { caller, key, secret } = await createWarmKey(one);
    expect(await verifyApiKey(other, secret)).toEqual({ valid: false, reason: "unknown" });
    expect(await other.slots.purge([{ hash: hashSecret(secret), target: "revoked" }])).toEqual([true]);
    one.postgresProxy.sever();
    expect(await verifyApiKey(one, secret)).toMatchObject({ valid: true });
    one.postgresProxy.heal();
    await revokeApiKey(one, caller, key);
    await other.slots.purge([{ hash: hashSecret(secret), target: "absent" }]);
    one.postgresProxy.sever();
    expect(await verifyApiKey(one, secret)).toEqual({ valid: false, reason: "revoked" });
    await one.close();
    await other.close();
  });
});
