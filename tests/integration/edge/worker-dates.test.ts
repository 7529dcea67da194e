import { expect, it } from "vitest";

import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { startOrigin, startWorker, workerSettings } from "@/tests/support/edge";
import { testRedis } from "@/tests/support/services";

const server = useTestServer("embedded");

// Before 2024-11-11 a Worker throws at `cache: "no-store"`.
it.each(["2023-01-01", "2024-11-10", "2024-11-11"])("a Worker of the compatibility date %s verifies", async (date) => {
  const origin = await startOrigin(server());
  const worker = await startWorker("workerd", workerSettings(testRedis("embedded"), origin), date);
  try {
    const { secret } = await createKeyOf(server(), newCaller());
    const use = async () => (await worker.ask({ "x-api-key": secret })).status;
    expect(await use()).toBe(200);
    await server().runDeferred();
    expect([await use(), origin.requests.length]).toEqual([200, 1]);
  } finally {
    await worker.stop();
    await origin.stop();
  }
});
