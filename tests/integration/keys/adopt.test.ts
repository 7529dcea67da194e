import { createHash, randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { createWithApiKey } from "@/server/http/with-api-key";
import { listApiKeys, revokeApiKey, revokeSelf, verifyApiKey } from "@/server/keys";
import type { Adopt, AdoptedKey } from "@/server/keys/adopt";
import { importKeys } from "@/server/keys/import";
import { hashSecret, mintSecret } from "@/server/keys/secret";
import { apiKeySecrets } from "@/server/platform/schema";
import { closeOwner } from "@/server/owners";
import type { SecretFormat } from "@/server/shared/secret-format";
import { createKeyOf, newCaller, startTestServer, useTestServer } from "@/tests/support/domain";
import { createGate } from "@/tests/support/gate";

const format: SecretFormat = {
  prefix: "lk",
  environment: "test",
  accepted: [{ prefix: "wm_", characters: "hex", length: 40 }],
};
const newSecret = () => `wm_${randomBytes(20).toString("hex")}`;

describe("a key of another system, which is asked on the first use", () => {
  /** The other system: it answers what the test says, over HTTP. */
  let answer: (
    secret: string,
  ) => { status: number; body: string } | "nothing" | Promise<{ status: number; body: string }>;
  let asked: string[] = [];
  let url = "";
  const other = createServer((request, response) => {
    let secret = "";
    request.on("data", (chunk: Buffer) => (secret += chunk.toString()));
    request.on("end", () => {
      asked.push(secret);
      void Promise.resolve(answer(secret)).then((told) => {
        if (told !== "nothing") response.writeHead(told.status).end(told.body);
      });
    });
  });
  const adopt: Adopt = async (secret, { signal }) => {
    const response = await fetch(url, { method: "POST", body: secret, signal });
    if (!response.ok) throw new Error("the other system is down");
    return (await response.json()) as AdoptedKey | null;
  };
  const json = (body: unknown) => ({ status: 200, body: JSON.stringify(body) });

  const server = useTestServer("embedded", { secretFormat: format, adopt });
  const withApiKey = createWithApiKey(() => server());
  const whoami = withApiKey((_request, { key }) => Response.json(key));
  const ask = async (secret: string) => {
    const response = await whoami(new Request("http://localhost/x", { headers: { "x-api-key": secret } }), {});
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  beforeAll(async () => {
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    other.closeAllConnections();
    other.close();
  });
  afterEach(() => {
    asked = [];
  });

  it("is taken over: listed, cached, and revoked with a receipt, without asking again", async () => {
    const ownerId = `user_${randomUUID()}`;
    const secret = newSecret();
    answer = () => json({ ownerId, name: " Old  key ", scopes: ["reports:read"], createdAt: "2024-01-01T00:00:00Z" });
    expect(await ask(secret)).toMatchObject({
      status: 200,
      body: { ownerId, name: "Old key", scopes: ["reports:read"] },
    });
    await server().usage.flush();
    await server().runDeferred();
    server().redisProxy.requests.length = 0;
    server().postgresProxy.statements.length = 0;
    expect((await ask(secret)).status).toBe(200);
    expect([server().redisProxy.requests.length, server().postgresProxy.statements.length]).toEqual([1, 0]);
    const { keys } = await listApiKeys(server(), newCaller({ ownerId }));
    const display = `${secret.slice(0, 7)}…${secret.slice(-4)}`;
    expect(keys).toMatchObject([{ name: "Old key", display, status: "active", createdAt: new Date("2024-01-01") }]);

    const { effect } = await revokeApiKey(server(), newCaller({ ownerId }), { id: keys[0]?.id ?? "" });
    expect(effect.status).toBe("effective");
    const another = await startTestServer("embedded", server().postgresProxy.target, { secretFormat: format, adopt });
    for (const instance of [server(), another])
      expect(await verifyApiKey(instance, secret)).toEqual({ valid: false, reason: "revoked" });
    await another.close();
    expect(asked).toEqual([secret]);
  });

  it("is never taken over again once its hash was revoked, even when nothing is cached any more", async () => {
    const ownerId = `user_${randomUUID()}`;
    const secret = newSecret();
    answer = () => json({ ownerId, name: "Old" });
    await ask(secret);
    const { keys } = await listApiKeys(server(), newCaller({ ownerId }));
    await revokeApiKey(server(), newCaller({ ownerId }), { id: keys[0]?.id ?? "" });
    const elsewhere = await startTestServer("embedded", server().postgresProxy.target, {
      secretFormat: format,
      adopt,
      redisPrefix: "empty:",
    });
    expect(await verifyApiKey(elsewhere, secret)).toEqual({ valid: false, reason: "revoked" });
    await elsewhere.close();
    expect(asked).toEqual([secret]);
  });

  it("that the other system does not know is refused, and asked about once in 10 s", async () => {
    const secret = newSecret();
    answer = () => json(null);
    for (let use = 0; use < 3; use++)
      expect(await ask(secret)).toMatchObject({ status: 401, body: { code: "invalid_api_key" } });
    expect(asked).toEqual([secret]);
    server().advance(10_000);
    answer = () => json({ ownerId: "user_late", name: "Late" });
    expect((await ask(secret)).status).toBe(200);
    server().advance(-10_000);
  });

  it("counts against its address as any unknown key does", async () => {
    answer = () => json(null);
    const uses = Array.from({ length: 31 }, newSecret);
    for (const secret of uses.slice(0, 30)) await verifyApiKey(server(), secret, "198.51.100.7");
    expect(await verifyApiKey(server(), uses[30] ?? "", "198.51.100.7")).toMatchObject({ reason: "rate_limited" });
    expect(asked).toHaveLength(30);
  });

  it.each([
    ["an error", { status: 500, body: "" }],
    ["no JSON", { status: 200, body: "<html>" }],
    ["a number", json(1)],
    ["true", json(true)],
    ["a list", json([])],
    ["no owner", json({ name: "Old" })],
    ["an empty owner", json({ ownerId: "", name: "Old" })],
    ["an owner with a line break", json({ ownerId: "user_1\n", name: "Old" })],
    ["no name", json({ ownerId: "user_1" })],
    ["a name that nobody can see", json({ ownerId: "user_1", name: "\u200b" })],
    ["an unknown scope", json({ ownerId: "user_1", name: "Old", scopes: ["all"] })],
    ["scopes that are no list", json({ ownerId: "user_1", name: "Old", scopes: "reports:read" })],
    ["a date that is none", json({ ownerId: "user_1", name: "Old", expiresAt: "soon" })],
    ["a number as the date", json({ ownerId: "user_1", name: "Old", expiresAt: 1_900_000_000 })],
    [
      "an end before the beginning",
      json({ ownerId: "user_1", name: "Old", createdAt: "2024-01-02T00:00:00Z", expiresAt: "2024-01-01T00:00:00Z" }),
    ],
    ["a field that nobody knows", json({ ownerId: "user_1", name: "Old", valid: false })],
  ])(
    "of which the other system says %s is neither accepted nor called invalid: 503, and nothing is stored",
    async (_title, told) => {
      const secret = newSecret();
      answer = () => told;
      expect(await ask(secret)).toMatchObject({ status: 503, body: { code: "verification_unavailable" } });
      expect(await countOf(secret)).toBe(0);
      // It was no verdict, so the next use asks again.
      answer = () => json({ ownerId: `user_${randomUUID()}`, name: "Old" });
      expect((await ask(secret)).status).toBe(200);
    },
  );

  it.each([
    ["undefined", () => Promise.resolve(undefined)],
    [
      "nothing but a throw",
      () => {
        throw new Error("at once");
      },
    ],
    ["a plain value", () => ({ ownerId: "", name: "" })],
  ])("is 503 where the host's function gives %s", async (_title, broken) => {
    const instance = await startTestServer("embedded", server().postgresProxy.target, {
      secretFormat: format,
      adopt: broken as unknown as Adopt,
    });
    await expect(verifyApiKey(instance, newSecret())).rejects.toMatchObject({ name: "VerificationUnavailableError" });
    await instance.close();
  });

  it("is 503 when the other system cannot be reached, and when it does not answer in time", async () => {
    const unreachable = await startTestServer("embedded", server().postgresProxy.target, {
      secretFormat: format,
      adopt: async () => (await fetch("http://127.0.0.1:1")).json() as Promise<null>,
    });
    await expect(verifyApiKey(unreachable, newSecret())).rejects.toMatchObject({
      name: "VerificationUnavailableError",
    });
    await unreachable.close();
    answer = () => "nothing";
    expect(await ask(newSecret())).toMatchObject({ status: 503 });
  });

  it("is accepted by a slow answer, while keys of our own do not wait for it", async () => {
    const { opened, open } = createGate();
    answer = async () => {
      await opened;
      return json({ ownerId: "user_slow", name: "Slow" });
    };
    const slow = Array.from({ length: 15 }, newSecret).map((secret) => ask(secret));
    const { secret } = await createKeyOf(server(), newCaller());
    expect((await ask(secret)).status).toBe(200);
    open();
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual(slow.map(() => 200));
  });

  it("used twice at once is asked about once in a process, and stored once by all of them", async () => {
    const secret = newSecret();
    const ownerId = `user_${randomUUID()}`;
    const { opened, open } = createGate();
    answer = async () => {
      await opened;
      return json({ ownerId, name: "Old" });
    };
    const another = await startTestServer("embedded", server().postgresProxy.target, { secretFormat: format, adopt });
    const uses = [server(), server(), server(), another, another].map((instance) => verifyApiKey(instance, secret));
    // The answer comes only after both processes have asked.
    await expect.poll(() => asked.length).toBe(2);
    open();
    const verifications = await Promise.all(uses);
    await another.close();
    expect(asked).toEqual([secret, secret]);
    expect(new Set(verifications.map((each) => (each.valid ? each.key.keyId : each.reason))).size).toBe(1);
    expect(verifications[0]).toMatchObject({ valid: true, key: { ownerId } });
    expect((await listApiKeys(server(), newCaller({ ownerId }))).keys).toHaveLength(1);
  });

  it("used many times at once is stored by one transaction, so that it holds up nobody", async () => {
    const { db } = server();
    const commit = db.commit.bind(db);
    let transactions = 0;
    db.commit = (work) => {
      transactions++;
      return commit(work);
    };
    try {
      answer = () => json({ ownerId: `user_${randomUUID()}`, name: "Old" });
      const secret = newSecret();
      const verdicts = await Promise.all(Array.from({ length: 15 }, () => verifyApiKey(server(), secret)));
      expect(verdicts.map(({ valid }) => valid)).toEqual(verdicts.map(() => true));
      expect(transactions).toBe(1);
    } finally {
      db.commit = commit;
    }
  });

  it("can be ended by who holds it before its first use here", async () => {
    answer = () => json({ ownerId: `user_${randomUUID()}`, name: "Old" });
    const secret = newSecret();
    expect(await revokeSelf(server(), secret)).toMatchObject({ status: "effective" });
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "revoked" });
  });

  it("that another process has just stored for another owner is accepted as that one's", async () => {
    const secret = newSecret();
    const first = `user_${randomUUID()}`;
    answer = async () => {
      const stored = {
        ownerId: first,
        name: "Old",
        hash: hashSecret(secret),
        display: "wm_…",
        scopes: [],
        createdAt: new Date(),
      };
      await importKeys({ ...server(), environment: "test", from: "import" }, [{ ...stored, expiresAt: null }]);
      return json({ ownerId: `user_${randomUUID()}`, name: "Old" });
    };
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true, key: { ownerId: first } });
  });

  it("of a closed account is refused, and not stored", async () => {
    const ownerId = `user_${randomUUID()}`;
    await closeOwner(server(), { ownerId, reason: "deleted", at: new Date() });
    answer = () => json({ ownerId, name: "Old" });
    const secret = newSecret();
    expect((await ask(secret)).status).toBe(401);
    expect(await countOf(secret)).toBe(0);
  });

  it("that has expired there is refused as expired", async () => {
    answer = () => json({ ownerId: "user_expired", name: "Old", expiresAt: "2020-01-01T00:00:00Z" });
    expect(await ask(newSecret())).toMatchObject({ status: 401, body: { code: "api_key_expired" } });
  });

  it("is not asked about for our own keys, other shapes, or a database that is down", async () => {
    answer = () => json({ ownerId: "user_1", name: "Old" });
    for (const secret of [mintSecret(format), newSecret().slice(0, -1), "wm_", "nonsense"])
      expect((await ask(secret)).status).toBe(401);
    server().postgresProxy.sever();
    expect((await ask(newSecret())).status).toBe(503);
    server().postgresProxy.heal();
    expect(asked).toEqual([]);
  });

  it("is 503 when the database goes down after the answer, and taken over by the next use", async () => {
    const secret = newSecret();
    answer = () => json({ ownerId: `user_${randomUUID()}`, name: "Old" });
    server().postgresProxy.decide = (statement) => (statement.includes("insert into") ? "break" : "pass");
    expect((await ask(secret)).status).toBe(503);
    server().postgresProxy.decide = () => "pass";
    expect((await ask(secret)).status).toBe(200);
  });

  async function countOf(secret: string) {
    const hash = createHash("sha256").update(secret).digest();
    return server().db.$count(apiKeySecrets, sql`${apiKeySecrets.hash} = ${hash}`);
  }
});
