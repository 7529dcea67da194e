import { randomBytes, randomUUID } from "node:crypto";

import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";

import { listApiKeys, revokeApiKey, usageOfApiKey, verifyApiKey } from "@/server/keys";
import { apiKeyUsage } from "@/server/platform/schema";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import type { TestServer } from "@/tests/support/server-instance";

type Used = readonly [keyId: string, hex: string];
const newUsed = (count: number): Used[] =>
  Array.from({ length: count }, () => [randomUUID(), randomBytes(32).toString("hex")] as const);

async function writeUses({ usage }: TestServer, keys: readonly Used[], at: number): Promise<void> {
  for (const [keyId, hex] of keys) usage.record(keyId, hex, at);
  await usage.flush();
}

describe("usage", () => {
  const server = useTestServer("embedded");

  it("counts every accepted use, in one write for many, and tells the last", async () => {
    const caller = newCaller();
    const { key, secret } = await createKeyOf(server(), caller);
    await server().usage.flush();
    server().postgresProxy.statements.length = 0;
    for (let use = 0; use < 20; use++) await verifyApiKey(server(), secret);
    await server().usage.flush();
    const writes = server().postgresProxy.statements.filter((statement) => statement.includes("api_key_usage"));
    expect(writes.filter((statement) => statement.startsWith("insert"))).toHaveLength(1);
    const usage = await usageOfApiKey(server(), caller, key);
    expect(usage.last24Hours).toHaveLength(24);
    expect(usage.last30Days).toHaveLength(30);
    expect(usage.last24Hours.reduce((sum, { count }) => sum + count, 0)).toBe(20);
    expect(usage.last30Days.at(-1)?.count).toBe(20);
    const [listed] = (await listApiKeys(server(), caller)).keys;
    expect(listed?.lastUsedAt).toBeInstanceOf(Date);
  });

  it("adds up what several processes and hours have written", async () => {
    const caller = newCaller();
    const { key, secret } = await createKeyOf(server(), caller);
    for (const hours of [0, 1, 25]) {
      server().advance(hours * 3_600_000);
      await verifyApiKey(server(), secret);
      await server().usage.flush();
      await verifyApiKey(server(), secret);
      await server().usage.flush();
    }
    const usage = await usageOfApiKey(server(), caller, key);
    expect(usage.last30Days.reduce((sum, { count }) => sum + count, 0)).toBe(6);
    expect(usage.last24Hours.reduce((sum, { count }) => sum + count, 0)).toBe(2);
    server().advance(-26 * 3_600_000);
  });

  it("keeps what could not be written for the next write", async () => {
    const caller = newCaller();
    const { key, secret } = await createKeyOf(server(), caller);
    await verifyApiKey(server(), secret);
    server().postgresProxy.sever();
    await server().usage.flush();
    server().postgresProxy.heal();
    await server().usage.flush();
    expect((await usageOfApiKey(server(), caller, key)).last24Hours.at(-1)?.count).toBe(1);
  });

  it("holds nothing of a key once its uses are written, however many keys there were", async () => {
    const at = Date.now();
    for (let number = 0; number < 2_500; number++)
      server().usage.record(randomUUID(), randomBytes(32).toString("hex"), at);
    server().postgresProxy.statements.length = 0;
    await server().usage.flush();
    const writes = server().postgresProxy.statements.filter((statement) => statement.startsWith("insert"));
    expect(writes).toHaveLength(6);
    server().postgresProxy.statements.length = 0;
    await server().usage.flush();
    expect(server().postgresProxy.statements).toEqual([]);
  });

  it("writes the uses of many keys by the very statements that write those of one", async () => {
    const { statements } = server().postgresProxy;
    const statementsFor = async (count: number) => {
      statements.length = 0;
      await writeUses(server(), newUsed(count), Date.now());
      return [...statements];
    };
    const ofOne = await statementsFor(1);
    expect(ofOne).toHaveLength(3);
    expect(await statementsFor(1_000)).toEqual(ofOne);
  });

  // How much less the tables grow is told in docs/benchmarks.md: it depends on what else the database does, and no test can count on it.
  it("is kept in pages with room for the next version of each row", async () => {
    const { rows } = await server().db.execute<{ name: string; options: string[] | null }>(sql`
      select relname as name, reloptions as options from pg_class
      where oid in ('latchkey.api_key_usage'::regclass, 'latchkey.api_key_secret_uses'::regclass) order by 1`);
    expect(rows).toEqual(
      ["api_key_secret_uses", "api_key_usage"].map((name) => ({ name, options: ["fillfactor=80"] })),
    );
  });

  it("forgets counts that no page shows any more, but not the last use", async () => {
    const caller = newCaller();
    const { key, secret } = await createKeyOf(server(), caller);
    await verifyApiKey(server(), secret);
    await server().usage.flush();
    const day = 86_400_000;
    server().advance(40 * day);
    expect((await listApiKeys(server(), caller)).keys[0]?.lastUsedAt).not.toBeNull();
    await verifyApiKey(server(), secret);
    await server().usage.flush();
    server().advance(-40 * day);
    const rows = await server().db.select().from(apiKeyUsage);
    expect(rows.filter((row) => row.keyId === key.id.slice(4))).toHaveLength(1);
  });

  it("neither counts a refused key nor brings a revoked one back", async () => {
    const caller = newCaller();
    const { key, secret } = await createKeyOf(server(), caller);
    await verifyApiKey(server(), secret);
    await revokeApiKey(server(), caller, key);
    await verifyApiKey(server(), secret);
    await server().usage.flush();
    expect((await usageOfApiKey(server(), caller, key)).last24Hours.at(-1)?.count).toBe(1);
    expect((await listApiKeys(server(), caller)).keys[0]?.status).toBe("revoked");
  });

  it("refuses another owner as if the key did not exist", async () => {
    const { key } = await createKeyOf(server(), newCaller());
    await expect(usageOfApiKey(server(), newCaller(), key)).rejects.toMatchObject({ code: "API_KEY_NOT_FOUND" });
  });
});
