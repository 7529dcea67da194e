import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { setOwnerAccess } from "@/server/owners";
import { createOrigin } from "@/server/edge/origin";
import { checkOptions } from "@/server/edge/options";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { type EdgeWorker, startOrigin, startWorker, type TestOrigin, workerSettings } from "@/tests/support/edge";
import { testRedis } from "@/tests/support/services";

describe("access at the edge", () => {
  const server = useTestServer("embedded", { accessFeature: "api_access" });
  let origin: TestOrigin;
  let worker: EdgeWorker;
  beforeAll(async () => {
    origin = await startOrigin(server());
    worker = await startWorker("workerd", workerSettings(testRedis("embedded"), origin));
  });
  afterAll(async () => {
    await worker.stop();
    await origin.stop();
  });

  const told = async (secret: string) => {
    const { status, body } = await worker.ask({ "x-api-key": secret });
    return [status, body.code ?? body.ownerId];
  };

  it("a key is refused by the next verification after its owner has lost access, and when the access has ended by itself", async () => {
    const caller = newCaller({ hasAccessClaim: true });
    const { secret } = await createKeyOf(server(), caller);
    const set = (allowed: boolean, until: Date | null = null) =>
      setOwnerAccess(server(), { ownerId: caller.ownerId, at: new Date(), allowed, until });
    expect(await told(secret)).toEqual([200, caller.ownerId]);
    await server().runDeferred();
    origin.requests.length = 0;
    expect(await told(secret)).toEqual([200, caller.ownerId]);
    expect(origin.requests).toEqual([]);

    await set(false);
    expect(await told(secret)).toEqual([403, "api_access_required"]);
    await server().runDeferred();
    expect(await told(secret)).toEqual([403, "api_access_required"]);
    await set(true, new Date(Date.now() - 1));
    expect(await told(secret)).toEqual([403, "api_access_required"]);
    await set(true);
    expect(await told(secret)).toEqual([200, caller.ownerId]);
  });

  it("access is required until the origin has said otherwise, and its word counts for a minute", async () => {
    const open = await startOrigin({ ...server(), settings: { ...server().settings, accessFeature: undefined } });
    try {
      const { UPSTASH_REDIS_REST_TOKEN: token, INTROSPECTION_SECRET: introspectionSecret } = workerSettings(
        testRedis("embedded"),
        open,
      );
      const redis = { url: testRedis("embedded").url, token };
      const asked = createOrigin(checkOptions({ redis, origin: open.url, introspectionSecret }));
      expect(asked.requiresAccess(Date.now())).toBe(true);
      await asked.ask("lk_test_unknown", null);
      const now = Date.now();
      expect(asked.requiresAccess(now)).toBe(false);
      expect(asked.requiresAccess(now + 60_001)).toBe(true);
      expect(asked.requiresAccess(now - 60_001)).toBe(true);
      open.decide = () => ({ status: 500, body: "" });
      await expect(asked.ask("lk_test_unknown", null)).rejects.toThrow();
      expect(asked.requiresAccess(now)).toBe(false);
    } finally {
      await open.stop();
    }
  });
});
