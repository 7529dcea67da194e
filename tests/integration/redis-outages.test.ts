import { describe, expect, it } from "vitest";

import { renameApiKey, revokeApiKey, verifyApiKey } from "@/server/keys";

import { useTestServer } from "../support/domain";
import { createWarmKey } from "../support/server-instance";

describe("a Redis that hangs", () => {
  const server = useTestServer("embedded");

  it("is no longer asked after five timeouts in a row, the database decides, and purges are still attempted", async () => {
    const { caller, key, secret } = await createWarmKey(server());
    server().redisProxy.decide = () => "hang";
    for (let call = 0; call < 5; call++) expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    server().redisProxy.requests.length = 0;
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    expect(server().redisProxy.requests).toHaveLength(0);
    expect((await revokeApiKey(server(), caller, key)).effect.status).toBe("pending");
    expect(server().redisProxy.requests.some((body) => body.includes("'DEL'"))).toBe(true);
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "revoked" });
    server().redisProxy.decide = () => "pass";
  });

  it("does not hold up a revocation longer than its two budgets", async () => {
    const { caller, key } = await createWarmKey(server());
    const timed = async (work: () => Promise<unknown>) => {
      const startedAt = performance.now();
      await work();
      return performance.now() - startedAt;
    };
    server().redisProxy.decide = () => "hang";
    // One hung purge as the measure of this machine: a rename has one; a revocation has one and a bypass, a quarter of its budget.
    const renaming = await timed(() => renameApiKey(server(), caller, { id: key.id, name: "Other" }));
    const revoking = await timed(() => revokeApiKey(server(), caller, key));
    server().redisProxy.decide = () => "pass";
    expect(revoking / renaming).toBeLessThan(2);
  });

  it("is not waited for with a transaction open, which would keep a connection from verifications", async () => {
    const { caller, key } = await createWarmKey(server());
    const events: string[] = [];
    const { slots } = server();
    server().slots = {
      ...slots,
      async bypass(hashes) {
        // Time enough for a BEGIN that was sent beside it.
        await server().db.execute("select 1");
        const previous = await slots.bypass(hashes);
        events.push("bypass ended");
        return previous;
      },
    };
    server().postgresProxy.decide = (statement) => {
      if (statement.startsWith("BEGIN")) events.push("BEGIN");
      return "pass";
    };
    await revokeApiKey(server(), caller, key);
    server().slots = slots;
    server().postgresProxy.decide = () => "pass";
    expect(events).toEqual(["bypass ended", "BEGIN"]);
  });
});
