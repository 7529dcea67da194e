import { Redis } from "@upstash/redis";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { rotateApiKey, revokeApiKey, verifyApiKey } from "@/server/keys";
import { mintSecret } from "@/server/keys/secret";
import { owners } from "@/server/platform/schema";
import { rotateInput } from "@/server/shared/inputs";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import {
  type EdgeWorker,
  runtimes,
  startOrigin,
  startWorker,
  type TestOrigin,
  workerSettings,
} from "@/tests/support/edge";
import { type RedisProxy, startRedisProxy } from "@/tests/support/redis-proxy";
import { redisKinds, testRedis } from "@/tests/support/services";
import { slotKeyOf } from "@/tests/support/slots";
import { youngMinute } from "@/tests/support/young-minute";

const introspection = "/api/v1/introspect";

const stages = runtimes.map((runtime, at) => ({ runtime, redisKind: redisKinds[at] ?? "embedded" }));

describe.each(stages)("a worker in $runtime, on $redisKind", ({ runtime, redisKind }) => {
  const server = useTestServer(redisKind);
  const redis = testRedis(redisKind);
  const raw = new Redis({ ...redis, automaticDeserialization: false, enableTelemetry: false });
  let redisProxy: RedisProxy;
  let origin: TestOrigin;
  let worker: EdgeWorker;

  beforeAll(async () => {
    redisProxy = await startRedisProxy(redis.url);
    origin = await startOrigin(server());
    worker = await startWorker(runtime, workerSettings({ ...redis, url: redisProxy.url }, origin));
  });
  afterAll(async () => {
    await worker.stop();
    await origin.stop();
    await redisProxy.stop();
  });
  beforeEach(() => {
    redisProxy.decide = () => "pass";
    origin.decide = () => "pass";
    redisProxy.requests.length = 0;
    origin.requests.length = 0;
  });

  const ask = (secret: string) => worker.ask({ authorization: `Bearer ${secret}` });
  const told = async (secret: string) => {
    const { status, body } = await ask(secret);
    return [status, body.code ?? body.ownerId];
  };
  const questions = () => origin.requests.filter(({ path }) => path === introspection).length;

  /** A key that the worker has accepted, with its value in the slot, and the origin's word that everybody may have keys. */
  async function createHotKey(fields: { expiresInDays?: number } = {}) {
    const caller = newCaller();
    const created = await createKeyOf(server(), caller, fields);
    expect(await told(created.secret)).toEqual([200, caller.ownerId]);
    await server().runDeferred();
    redisProxy.requests.length = 0;
    origin.requests.length = 0;
    return { caller, ...created };
  }
  /** Changes what the slot holds of a key, as if the database had said so. */
  async function rewriteSlot(secret: string, change: object) {
    const value = await raw.get<string>(slotKeyOf(secret));
    const payload = JSON.parse(value?.slice(2) ?? "") as object;
    await raw.set(slotKeyOf(secret), `V:${JSON.stringify({ ...payload, ...change })}`, { px: 60_000 });
  }

  it("a miss is decided and filled by the origin, and a hit costs one Redis request and nothing else", async () => {
    const { caller, key, secret } = await createHotKey();
    const { status, headers, body } = await ask(secret);
    expect([status, body]).toEqual([200, { keyId: key.id, ownerId: caller.ownerId }]);
    expect(headers.get("cache-control")).toBe("no-store");
    expect([redisProxy.requests.length, questions()]).toEqual([1, 0]);
  });

  it("what is no key costs no request, and is told as the gateway tells it", async () => {
    const minted = mintSecret({ prefix: "lk", environment: "test" });
    const wrongChecksum = minted.slice(0, -1) + (minted.endsWith("0") ? "1" : "0");
    const other = mintSecret({ prefix: "lk", environment: "live" });
    for (const [headers, status, code] of [
      [{}, 401, "missing_api_key"],
      [{ authorization: "Bearer eyJhbGciOi" }, 401, "invalid_api_key"],
      [{ authorization: `Bearer ${wrongChecksum}` }, 401, "invalid_api_key"],
      [{ "x-api-key": other }, 401, "invalid_api_key"],
      [{ authorization: `Bearer ${other}`, "x-api-key": `${other}x` }, 400, "ambiguous_credentials"],
      [{ authorization: `Basic ${btoa(`${other}:`)}` }, 401, "invalid_api_key"],
    ] as const) {
      const answer = await worker.ask(headers);
      expect([answer.status, answer.body.code], JSON.stringify(headers)).toEqual([status, code]);
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      expect(answer.headers.get("www-authenticate")).toEqual(status === 401 ? expect.stringContaining("Bearer") : null);
    }
    expect([redisProxy.requests.length, origin.requests.length]).toEqual([0, 0]);
  });

  it("an unknown key is refused by the origin", async () => {
    expect(await told(mintSecret({ prefix: "lk", environment: "test" }))).toEqual([401, "invalid_api_key"]);
    expect([redisProxy.requests.length, questions()]).toEqual([1, 1]);
  });

  it("a revoked key is refused by the next verification, also when its slot is lost", async () => {
    const { caller, key, secret } = await createHotKey();
    const { effect } = await revokeApiKey(server(), caller, key);
    expect(effect.status).toBe("effective");
    expect(await told(secret)).toEqual([401, "api_key_revoked"]);
    await raw.del(slotKeyOf(secret));
    expect(await told(secret)).toEqual([401, "api_key_revoked"]);
  });

  it("a waiting secret is activated by its first use here, and the old one tells its end until then", async () => {
    const { caller, key, secret } = await createHotKey();
    const input = { id: key.id, requestId: crypto.randomUUID(), graceSeconds: 300 };
    const rotated = await rotateApiKey(server(), caller, rotateInput.parse(input));
    expect(await told(secret)).toEqual([200, caller.ownerId]);
    expect(await told(rotated.secret)).toEqual([200, caller.ownerId]);
    await server().runDeferred();
    const old = await ask(secret);
    expect([old.status, old.headers.get("api-key-expires")]).toEqual([200, expect.stringMatching(/^@\d+$/)]);
    await server().runDeferred();
    await rewriteSlot(secret, { endsAt: Date.now() - 1 });
    expect(await told(secret)).toEqual([401, "api_key_revoked"]);
  });

  it("an end is judged by the clock on every hit: the origin tells why", async () => {
    const { secret } = await createHotKey({ expiresInDays: 1 });
    expect((await ask(secret)).headers.get("api-key-expires")).toMatch(/^@\d+$/);
    await rewriteSlot(secret, { expiresAt: Date.now() - 1 });
    expect(await told(secret)).toEqual([401, "api_key_expired"]);
    origin.decide = () => "refuse";
    expect(await told(secret)).toEqual([503, "verification_unavailable"]);
  });

  it("a key without a scope that is needed is refused, and told which", async () => {
    const { secret } = await createHotKey();
    await rewriteSlot(secret, { scopes: ["reports:write"] });
    const { status, headers, body } = await ask(secret);
    expect([status, body.code, questions()]).toEqual([403, "insufficient_scope", 0]);
    expect(headers.get("www-authenticate")).toContain('error="insufficient_scope", scope="reports:read"');
  });

  it("an owner's limit is counted by the origin, one for the edge and the gateway", async () => {
    const { caller, secret } = await createHotKey();
    await server().db.update(owners).set({ requestsPerMinute: 2 }).where(eq(owners.id, caller.ownerId));
    await rewriteSlot(secret, { requestsPerMinute: 2 });
    await youngMinute();
    for (const remaining of [1, 0]) {
      const { status, headers } = await ask(secret);
      expect([status, headers.get("ratelimit-policy")]).toEqual([200, '"owner";q=2;w=60']);
      expect(headers.get("ratelimit")).toMatch(new RegExp(`^"owner";r=${remaining};t=\\d+$`));
    }
    const over = await ask(secret);
    expect([over.status, over.body.code, over.headers.get("ratelimit")]).toEqual([
      429,
      "rate_limited",
      expect.stringContaining("r=0"),
    ]);
    expect(Number(over.headers.get("retry-after"))).toBeGreaterThan(0);
    origin.decide = () => "refuse";
    const uncounted = await ask(secret);
    expect([uncounted.status, uncounted.headers.get("ratelimit")]).toEqual([200, null]);
  });

  describe("when Redis cannot be trusted", () => {
    const stale = (value: unknown) => (body: string) => {
      const nonce = (JSON.parse(body) as unknown[]).at(-1);
      return { status: 200, body: JSON.stringify({ result: [nonce, value] }) };
    };
    const faults: [string, RedisProxy["decide"]][] = [
      ["refuses", () => "refuse"],
      ["hangs", () => "hang"],
      ["loses the answer", () => "lose"],
      ["answers 500", () => ({ status: 500, body: '{"error":"ERR"}' })],
      ["answers 429", () => ({ status: 429, body: "" })],
      ["redirects", () => ({ status: 307, body: "" })],
      ["answers no JSON", () => ({ status: 200, body: "<html>" })],
      ["answers null", () => ({ status: 200, body: "null" })],
      ["answers a null result", () => ({ status: 200, body: '{"result":null}' })],
      ["answers OK", () => ({ status: 200, body: '{"result":"OK"}' })],
      ["answers a result without the nonce", () => ({ status: 200, body: '{"result":["x","V:{}"]}' })],
      ["answers an empty object as value", stale("V:{}")],
      ["answers a number", stale(1)],
      ["says bypass", stale("M:")],
      ["says a lease of somebody else", stale("L:1:x")],
      ["says revoked of a key that is not", stale("T:")],
    ];
    it.each(faults)("and %s, the origin decides", async (_name, fault) => {
      const { caller, key, secret } = await createHotKey();
      redisProxy.decide = fault;
      expect(await told(secret)).toEqual([200, caller.ownerId]);
      expect(questions()).toBe(1);
      await revokeApiKey(server(), caller, key);
      expect(await told(secret)).toEqual([401, "api_key_revoked"]);
      origin.decide = () => "refuse";
      expect(await told(secret)).toEqual([503, "verification_unavailable"]);
    });

    it("an answer to an earlier question is not used", async () => {
      const { caller, key, secret } = await createHotKey();
      await ask(secret);
      const { requests } = redisProxy;
      const earlier = await fetch(redis.url, {
        method: "POST",
        headers: { authorization: `Bearer ${redis.token}` },
        body: requests[0] ?? "",
      });
      const body = await earlier.text();
      expect(body).toContain("V:");
      await revokeApiKey(server(), caller, key);
      redisProxy.decide = () => ({ status: 200, body });
      expect(await told(secret)).toEqual([401, "api_key_revoked"]);
    });

    it("and a value of another key stands in the slot, the origin decides", async () => {
      const victim = await createHotKey();
      const { caller, secret } = await createHotKey();
      await raw.set(slotKeyOf(secret), await raw.get(slotKeyOf(victim.secret)), { px: 60_000 });
      expect(await told(secret)).toEqual([200, caller.ownerId]);
    });
  });

  describe("when the origin cannot decide, nothing is a verdict", () => {
    const faults: [string, TestOrigin["decide"]][] = [
      ["refuses", () => "refuse"],
      ["answers 401", () => ({ status: 401, body: '{"error":"invalid_client"}' })],
      ["answers 404", () => ({ status: 404, body: "" })],
      ["answers 500", () => ({ status: 500, body: '{"active":false}' })],
      ["redirects", () => ({ status: 302, body: "", headers: { location: "/elsewhere" } })],
      ["answers no JSON", () => ({ status: 200, body: "<html>" })],
      ["answers null", () => ({ status: 200, body: "null" })],
      ["answers active without the question's nonce", () => ({ status: 200, body: '{"active":true}' })],
      ["answers inactive without the question's nonce", () => ({ status: 200, body: '{"active":false}' })],
      [
        "answers the question with half a key",
        (_path, body) => ({
          status: 200,
          body: '{"active":true,"sub":"user_victim"}',
          headers: { "latchkey-nonce": new URLSearchParams(body).get("nonce") ?? "" },
        }),
      ],
    ];
    it.each(faults)("as when it %s", async (_name, fault) => {
      const { secret } = await createKeyOf(server(), newCaller());
      origin.decide = fault;
      const { status, headers, body } = await ask(secret);
      expect([status, body.code]).toEqual([503, "verification_unavailable"]);
      expect(headers.get("retry-after")).toBe("1");
      origin.decide = () => "pass";
      expect((await ask(secret)).status).toBe(200);
    });

    it("as when it hangs, or its database is away; a hit needs neither", async () => {
      const hot = await createHotKey();
      const { secret } = await createKeyOf(server(), newCaller());
      origin.decide = () => "hang";
      const [cold, hit] = await Promise.all([told(secret), told(hot.secret)]);
      expect([cold, hit]).toEqual([
        [503, "verification_unavailable"],
        [200, hot.caller.ownerId],
      ]);
      origin.decide = () => "pass";
      server().postgresProxy.sever();
      try {
        expect(await told(secret)).toEqual([503, "verification_unavailable"]);
      } finally {
        server().postgresProxy.heal();
      }
    });
  });

  it("uses reach the origin in one report, each once", async () => {
    const { secret } = await createHotKey();
    const reported = new Promise<string>((resolve) => {
      origin.decide = (path, body) => {
        if (path.endsWith("/uses") && body.includes(hashOf(secret))) resolve(body);
        return "pass";
      };
    });
    for (let time = 0; time < 3; time++) expect((await ask(secret)).status).toBe(200);
    const { uses } = JSON.parse(await reported) as { uses: { hash: string; count: number }[] };
    expect(uses.filter(({ hash }) => hash === hashOf(secret)).map(({ count }) => count)).toEqual([3]);
  });

  it("a verification beside it fills and reads the same slot", async () => {
    const caller = newCaller();
    const { secret } = await createKeyOf(server(), caller);
    expect((await verifyApiKey(server(), secret)).valid).toBe(true);
    await server().runDeferred();
    expect(await told(secret)).toEqual([200, caller.ownerId]);
    expect(redisProxy.requests.length).toBe(1);
  });
});

function hashOf(secret: string): string {
  return slotKeyOf(secret).split(":").at(-1) ?? "";
}
