import { randomUUID } from "node:crypto";

import { sql } from "drizzle-orm";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";

import { importKeys, verifyApiKey } from "@/server/keys";
import { hashSecret, mintSecret } from "@/server/keys/secret";
import { endExposedKeys } from "@/server/leaks";
import { drainPurges } from "@/server/outbox/drain";
import { displaySecret } from "@/server/shared/secret-format";
import { startTestServer } from "@/tests/support/domain";
import { startGithubSender } from "@/tests/support/github-sender";
import type { TestServer } from "@/tests/support/server-instance";
import { testDatabaseUrl } from "@/tests/support/services";

/** Keys of many owners, as an import brings them. */
async function storeKeys(server: TestServer, count: number): Promise<string[]> {
  const secrets = Array.from({ length: count }, () => mintSecret({ prefix: "lk", environment: "test" }));
  const run = randomUUID();
  for (let from = 0; from < count; from += 1_000)
    await importKeys(
      { ...server, environment: "test", from: "import" },
      secrets.slice(from, from + 1_000).map((secret, at) => ({
        ownerId: `user_${run}_${(from + at) % 500}`,
        name: "Imported",
        hash: hashSecret(secret),
        display: displaySecret(secret),
        scopes: [],
        createdAt: null,
        expiresAt: null,
      })),
    );
  return secrets;
}

describe("a large report", () => {
  let server: TestServer;
  beforeAll(async () => {
    const sender = await startGithubSender();
    server = await startTestServer("embedded", await testDatabaseUrl(), {
      leaks: { githubSecretScanning: true, githubKeysUrl: sender.keysUrl },
    });
    return async () => {
      await server.close();
      await sender.stop();
    };
  });
  beforeEach(() => {
    server.postgresProxy.statements.length = 0;
    server.redisProxy.requests.length = 0;
  });
  const end = (tokens: string[]) =>
    endExposedKeys(
      server,
      tokens.map((token) => ({ token, location: "content", url: "https://github.com/octo/repo" })),
      { source: "github" },
    );
  const countOf = async (statement: ReturnType<typeof sql>) =>
    Number((await server.db.execute<{ count: string }>(statement)).rows[0]?.count);

  it.each([1_000, 10_000])("of %i keys ends all of them, by one transaction for each 500", async (count) => {
    const secrets = await storeKeys(server, count);
    const revoked = () => countOf(sql`select count(*) from latchkey.api_keys where revoked_by = 'leak'`);
    const before = await revoked();
    server.postgresProxy.statements.length = 0;
    expect(await end(secrets)).toEqual(secrets.map(() => true));
    const { statements } = server.postgresProxy;
    expect(statements.filter((statement) => statement.startsWith("COMMIT"))).toHaveLength(count / 500);
    expect(statements.length).toBeLessThan((count / 500) * 12 + 2);
    expect(await revoked()).toBe(before + count);
    await server.runDeferred();
    await drainPurges(server, { dueOrNot: true });
    expect(await countOf(sql`select count(*) from latchkey.cache_purges`)).toBe(0);
    for (const secret of [secrets[0], secrets.at(-1)])
      expect((await verifyApiKey(server, secret ?? "")).valid).toBe(false);
    const events = () => countOf(sql`select count(*) from latchkey.key_events`);
    const told = await events();
    await end(secrets.toReversed());
    expect(await events()).toBe(told);
  });
});
