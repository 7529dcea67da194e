import { beforeEach, describe, expect, it } from "vitest";

import { createHandler } from "@/server/http";
import { noIdentity } from "@/server/http/no-identity";
import { listApiKeys, usageOfApiKey } from "@/server/keys";
import { hashSecret } from "@/server/keys/secret";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";

const secret = "s".repeat(32);
const hour = 3_600_000;

describe("a report of uses", () => {
  const server = useTestServer("embedded");
  const send = (body: unknown, { authorization = `Bearer ${secret}`, configured = true } = {}) => {
    const none = { cronSecret: undefined, metricsSecret: undefined };
    const http = { appOrigin: "", allowedOrigins: [], introspectionSecret: configured ? secret : undefined, ...none };
    return createHandler({ server: server(), identity: noIdentity, http })(
      new Request("http://localhost/api/v1/introspect/uses", {
        method: "POST",
        headers: { authorization },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    );
  };
  const hashOf = (key: string) => hashSecret(key).toString("hex");
  beforeEach(() => server().usage.flush());

  it("adds to what is counted here, by the hour, and tells the last use", async () => {
    const caller = newCaller();
    const created = await createKeyOf(server(), caller);
    const hash = hashOf(created.secret);
    const now = Date.now();
    const uses = [
      { hash, count: 7, lastUsedAt: now },
      { hash, count: 2, lastUsedAt: now - 2 * 24 * hour },
    ];
    expect((await send({ uses })).status).toBe(204);
    await server().usage.flush();
    const usage = await usageOfApiKey(server(), caller, created.key);
    const sum = (counts: { count: number }[]) => counts.reduce((total, { count }) => total + count, 0);
    expect([sum(usage.last24Hours), sum(usage.last30Days)]).toEqual([7, 9]);
    const [listed] = (await listApiKeys(server(), caller)).keys;
    expect(listed?.lastUsedAt?.getTime()).toBe(now);
  });

  it("passes over hashes that no key has and what is too old, and moves no use into the future", async () => {
    const caller = newCaller();
    const created = await createKeyOf(server(), caller);
    const hash = hashOf(created.secret);
    const uses = [
      { hash: "0".repeat(64), count: 5, lastUsedAt: Date.now() },
      { hash, count: 5, lastUsedAt: Date.now() - 32 * 24 * hour },
      { hash, count: 1, lastUsedAt: 8.64e15 },
    ];
    expect((await send({ uses })).status).toBe(204);
    await server().usage.flush();
    const usage = await usageOfApiKey(server(), caller, created.key);
    expect(usage.last30Days.reduce((total, { count }) => total + count, 0)).toBe(1);
    const [listed] = (await listApiKeys(server(), caller)).keys;
    expect(listed?.lastUsedAt?.getTime()).toBeLessThanOrEqual(Date.now());
  });

  it("wants the secret first, then a report", async () => {
    const use = { hash: "0".repeat(64), count: 1, lastUsedAt: 0 };
    expect((await send({ uses: [] }, { configured: false })).status).toBe(404);
    for (const authorization of ["", `Bearer ${secret}x`, secret])
      expect((await send("nonsense", { authorization })).status, authorization).toBe(401);
    const bad = [
      "",
      "null",
      "[]",
      {},
      { uses: [{}] },
      { uses: [{ ...use, hash: "x" }] },
      { uses: [{ ...use, count: 0 }] },
      { uses: [{ ...use, count: 1.5 }] },
      { uses: [{ ...use, lastUsedAt: -1 }] },
      { uses: [{ ...use, keyId: "key_1" }] },
      { uses: Array.from({ length: 1_001 }, () => use) },
      "x".repeat(300_000),
    ];
    for (const body of bad) {
      const answer = await send(body);
      expect([answer.status, await answer.json()], JSON.stringify(body).slice(0, 60)).toEqual([
        400,
        { error: "invalid_request" },
      ]);
    }
  });

  it("says 503, and counts nothing, while the database is away", async () => {
    const caller = newCaller();
    const created = await createKeyOf(server(), caller);
    const uses = [{ hash: hashOf(created.secret), count: 3, lastUsedAt: Date.now() }];
    server().postgresProxy.sever();
    expect((await send({ uses })).status).toBe(503);
    server().postgresProxy.heal();
    await server().usage.flush();
    const usage = await usageOfApiKey(server(), caller, created.key);
    expect(usage.last30Days.reduce((total, { count }) => total + count, 0)).toBe(0);
  });
});
