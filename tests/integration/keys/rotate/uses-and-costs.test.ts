import { eq } from "drizzle-orm";
import { describe, expect, it } from "vitest";

import { createApiKey, usageOfApiKey } from "@/server/keys";
import { hashSecret } from "@/server/keys/secret";
import { apiKeySecretUses } from "@/server/platform/schema";
import { newCaller, newKeyInput } from "@/tests/support/domain";
import { redisKinds } from "@/tests/support/services";

import { useRotatingKeys } from "./rotating-keys";

describe.each(redisKinds)("rotation on %s", (redisKind) => {
  const { server, evict, verify, warm, rotate, listed, inGrace } = useRotatingKeys(redisKind);

  it("counts uses by secret, and of the key all of them", async () => {
    const { caller, key, old, fresh } = await inGrace();
    server().advance(60_000);
    await verify(old);
    server().advance(60_000);
    await verify(fresh);
    await server().usage.flush();
    // Before the clock goes back: an hour may have begun meanwhile.
    const { last24Hours } = await usageOfApiKey(server(), caller, key);
    server().advance(-120_000);
    const shown = await listed(caller);
    if (shown?.rotation?.state !== "grace") throw new Error("no grace runs");
    const between = (shown.lastUsedAt?.getTime() ?? 0) - (shown.rotation.lastUsedAt?.getTime() ?? 0);
    expect(between).toBeGreaterThanOrEqual(60_000);
    expect(last24Hours.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThanOrEqual(3);
  });

  it("keeps last uses of secrets that could not be written for the next write", async () => {
    const { fresh } = await inGrace();
    await verify(fresh);
    server().postgresProxy.sever();
    await server().usage.flush();
    server().postgresProxy.heal();
    await server().usage.flush();
    expect(await server().db.$count(apiKeySecretUses, eq(apiKeySecretUses.hash, hashSecret(fresh)))).toBe(1);
  });

  it("a hit of either secret costs one Redis request and no query, a first use of a current one two and one", async () => {
    const { old, fresh } = await inGrace();
    await server().usage.flush();
    for (const secret of [old, fresh]) {
      await evict(secret);
      for (const [redisRequests, queries] of [
        [2, 1],
        [1, 0],
      ]) {
        server().redisProxy.requests.length = 0;
        server().postgresProxy.statements.length = 0;
        await warm(secret);
        expect(server().redisProxy.requests).toHaveLength(redisRequests ?? 0);
        expect(server().postgresProxy.statements).toHaveLength(queries ?? 0);
      }
    }
  });

  it("costs no more Redis requests than a creation, and at most two statements more", async () => {
    const costOf = async (act: () => Promise<unknown>) => {
      server().redisProxy.requests.length = 0;
      server().postgresProxy.statements.length = 0;
      await act();
      return { redis: server().redisProxy.requests.length, statements: server().postgresProxy.statements.length };
    };
    const caller = newCaller();
    const input = newKeyInput();
    let id = "";
    const creation = await costOf(async () => (id = (await createApiKey(server(), caller, input)).key.id));
    const rotation = await costOf(() => rotate(caller, { key: { id } }));
    expect(rotation.redis).toBe(creation.redis);
    expect(rotation.statements).toBeLessThanOrEqual(creation.statements + 2);
  });
});
