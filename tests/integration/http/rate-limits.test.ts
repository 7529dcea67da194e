import { beforeEach, describe, expect, it } from "vitest";

import { mintSecret } from "@/server/keys/secret";
import { owners } from "@/server/platform/schema";
import { createWithApiKey } from "@/server/http/with-api-key";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { redisKinds } from "@/tests/support/services";
import { youngMinute } from "@/tests/support/young-minute";

describe.each(redisKinds)("rate limits on %s", (redisKind) => {
  const server = useTestServer(redisKind, { trustedProxyHops: 1 });
  const handler = createWithApiKey(() => server())(() => new Response("ok"));
  const call = (secret: string, address = "192.0.2.1", spoofed = "") =>
    handler(
      new Request("http://localhost/x", {
        headers: { "x-api-key": secret, "x-forwarded-for": spoofed ? `${spoofed}, ${address}` : address },
      }),
      {},
    );

  beforeEach(async () => {
    server().redisProxy.decide = () => "pass";
    await server().redisAnswers();
  });

  async function limitedOwner(requestsPerMinute: number) {
    await youngMinute();
    const caller = newCaller();
    await server().db.insert(owners).values({ id: caller.ownerId, requestsPerMinute });
    return caller;
  }

  it("count for each owner, over all of their keys, and say so on every answer", async () => {
    const caller = await limitedOwner(5);
    const keys = [await createKeyOf(server(), caller), await createKeyOf(server(), caller)];
    for (let at = 0; at < 5; at++) {
      const answer = await call(keys[at % 2]?.secret ?? "");
      expect(answer.status).toBe(200);
      expect(answer.headers.get("ratelimit-policy")).toBe('"owner";q=5;w=60');
      expect(answer.headers.get("ratelimit")).toMatch(new RegExp(`^"owner";r=${4 - at};t=[1-9]\\d*$`));
    }
    const refused = await call(keys[0]?.secret ?? "");
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
    expect(refused.headers.get("ratelimit")).toMatch(/^"owner";r=0;t=[1-9]\d*$/);
    expect(await refused.json()).toMatchObject({ status: 429, code: "rate_limited" });
  });

  it("do not mix owners, nor limits of different size", async () => {
    const [small, large] = [await limitedOwner(1), await limitedOwner(3)];
    const [a, b] = [await createKeyOf(server(), small), await createKeyOf(server(), large)];
    expect((await call(a.secret)).status).toBe(200);
    expect((await call(a.secret)).status).toBe(429);
    for (let at = 0; at < 3; at++) expect((await call(b.secret)).status).toBe(200);
    expect((await call(b.secret)).status).toBe(429);
  });

  it("cost a second Redis request only for an owner that has one, and only when the key is accepted", async () => {
    const unlimited = await createKeyOf(server(), newCaller());
    const limited = await createKeyOf(server(), await limitedOwner(100));
    for (const { secret } of [unlimited, limited]) {
      await call(secret);
      await server().runDeferred();
    }
    const requests = async (secret: string) => {
      server().redisProxy.requests.length = 0;
      await call(secret);
      return server().redisProxy.requests.length;
    };
    expect(await requests(unlimited.secret)).toBe(1);
    expect(await requests(limited.secret)).toBe(2);
    expect(await requests("lk_test_x")).toBe(0);
  });

  it("let an accepted request pass while Redis cannot count it", async () => {
    const { secret } = await createKeyOf(server(), await limitedOwner(1));
    server().redisProxy.decide = () => "refuse";
    for (let at = 0; at < 3; at++) expect((await call(secret)).status).toBe(200);
  });

  it("hold back an address that guesses, on a miss only: a cached key is not slowed by its neighbours", async () => {
    const cached = await createKeyOf(server(), newCaller());
    await call(cached.secret);
    await server().runDeferred();
    const guess = (address: string, spoofed = "") =>
      call(mintSecret({ prefix: "lk", environment: "test" }), address, spoofed);
    for (let at = 0; at < 30; at++) expect((await guess("198.51.100.7", `10.0.0.${at}`)).status).toBe(401);
    server().postgresProxy.statements.length = 0;
    const held = await guess("198.51.100.7", "203.0.113.9");
    expect(held.status).toBe(429);
    expect(held.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
    expect(server().postgresProxy.statements).toHaveLength(0);
    expect((await call(cached.secret, "198.51.100.7")).status).toBe(200);
    expect((await guess("198.51.100.8", "198.51.100.7")).status).toBe(401);
    server().advance(60_000);
    expect((await guess("198.51.100.7")).status).toBe(401);
    server().advance(-60_000);
  });

  it.each([
    ["a port that changes", (at: number) => `203.0.113.7:${1024 + at}`],
    ["the addresses of one IPv6 network", (at: number) => `2001:db8:0:7::${(at + 1).toString(16)}`],
    ["an IPv6 network in brackets with a port", (at: number) => `[2001:DB8:0:8:${at}::1]:${1024 + at}`],
    ["IPv4 in IPv6", (at: number) => (at % 2 ? "::ffff:203.0.113.8" : `[::FFFF:CB00:7108]:${at}`)],
    ["something that is no address", (at: number) => `unknown${at}`],
  ])("hold back a guesser who comes from %s", async (_title, addressOf) => {
    const statuses = [];
    for (let at = 0; at < 200; at++)
      statuses.push((await call(mintSecret({ prefix: "lk", environment: "test" }), addressOf(at))).status);
    expect(statuses).toEqual([...Array<number>(30).fill(401), ...Array<number>(170).fill(429)]);
  });

  it("do not hold back the neighbours of a guesser, in IPv4 or in another IPv6 network", async () => {
    const guess = (address: string) => call(mintSecret({ prefix: "lk", environment: "test" }), address);
    for (let at = 0; at < 31; at++) {
      await guess("203.0.113.20:1");
      await guess("2001:db8:0:9::1");
    }
    expect((await guess("203.0.113.20")).status).toBe(429);
    for (const address of ["203.0.113.21", "2001:db8:0:a::1"]) expect((await guess(address)).status).toBe(401);
  });
});
