import { describe, expect, it } from "vitest";

import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { startOrigin, startWorker, workerSettings } from "@/tests/support/edge";
import { testRedis } from "@/tests/support/services";

describe("a Worker", () => {
  const server = useTestServer("embedded");

  // Before 2024-11-11 a Worker throws at `cache: "no-store"`.
  it.each(["2023-01-01", "2024-11-10", "2024-11-11"])("of the compatibility date %s verifies", async (date) => {
    const origin = await startOrigin(server());
    const worker = await startWorker("workerd", workerSettings(testRedis("embedded"), origin), date);
    try {
      const { secret } = await createKeyOf(server(), newCaller());
      const askAgain = async () => (await worker.ask({ "x-api-key": secret })).status;
      expect(await askAgain()).toBe(200);
      await server().runDeferred();
      expect([await askAgain(), origin.requests.length]).toEqual([200, 1]);
    } finally {
      await worker.stop();
      await origin.stop();
    }
  });
});
