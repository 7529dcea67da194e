import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { inspect, promisify } from "node:util";

import { sql } from "drizzle-orm";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import { type LocalRedis, startLocalRedis } from "@/local/redis";
import { createRespClient } from "@/local/redis/resp-client";
import { checkReadiness } from "@/server/http/readiness";
import { effectOfApiKey, revokeApiKey, verifyApiKey } from "@/server/keys";
import { hashSecret } from "@/server/keys/secret";
import { drainPurges } from "@/server/outbox/drain";
import { createLogger } from "@/server/platform/logger";
import { createRedisClients, type RedisClients } from "@/server/platform/redis";
import { cachePurges } from "@/server/platform/schema";

import { createGate } from "../support/gate";
import { type RedisTcpProxy, startRedisTcpProxy } from "../support/redis-tcp-proxy";
import { createSelfSigned } from "../support/self-signed";
import { createWarmKey, localAddress, startServerInstance, type TestServer } from "../support/server-instance";
import { testDatabaseUrl } from "../support/services";

let local: LocalRedis;
let raw: ReturnType<typeof createRespClient>;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "latchkey-tcp-"));
  local = await startLocalRedis({ server: "redis-server", directory });
  raw = createRespClient(socketPath());
});
afterAll(async () => {
  await raw.close();
  await local.stop();
  await rm(directory, { recursive: true, force: true });
});
const socketPath = () => local.process?.socketPath ?? "";
const command = (...words: string[]) => raw.pipeline([words]);

describe("a connection to Redis that is kept open", () => {
  let proxy: RedisTcpProxy;
  let redis: RedisClients;
  const echo = (text: string) => redis.slot.evaluate("return ARGV[1]", { keys: [], args: [text] });

  beforeEach(async () => {
    proxy = await startRedisTcpProxy(socketPath());
    redis = createRedisClients({ address: localAddress(proxy.port) }, createLogger("silent"));
  });
  afterEach(async () => {
    redis.close();
    await proxy.stop();
  });

  it("is opened by the first call, and carries the later ones, together where they come together", async () => {
    expect(proxy.connections).toBe(0);
    expect(await Promise.all(["a", "b", "c"].map(echo))).toEqual(["a", "b", "c"]);
    proxy.requests.length = 0;
    expect(await Promise.all(["d", "e"].map(echo))).toEqual(["d", "e"]);
    expect(proxy.requests.map((body) => (JSON.parse(body) as unknown[]).length)).toEqual([2]);
    expect(proxy.connections).toBe(1);
  });

  it("that stalls ends its calls by one timeout, and the next call has a new connection", async () => {
    await echo("before");
    proxy.stall();
    const [one, two] = await Promise.all(["one", "two"].map((text) => echo(text).catch((fault: unknown) => fault)));
    expect(one).toMatchObject({ name: "TimeoutError" });
    expect(two).toBe(one);
    expect(await echo("after")).toBe("after");
    expect(proxy.connections).toBe(2);
  });

  it("that stalls does not take along what waits on the connection for purges", async () => {
    await echo("before");
    const gate = createGate();
    proxy.decide = (body) => (body.includes("hangs") ? "hang" : gate.opened);
    const purging = redis.purge.evaluate("return ARGV[1]", { keys: [], args: ["purge"] });
    await expect(echo("hangs")).rejects.toMatchObject({ name: "TimeoutError" });
    gate.open();
    expect(await purging).toBe("purge");
  });

  it("gives an answer that comes late to nobody, and the next answers to whom they belong", async () => {
    await echo("before");
    const [first, second] = [createGate(), createGate()];
    proxy.decide = (body) => (body.includes("first") ? first.opened : body.includes("second") ? second.opened : "pass");
    const answered = echo("first");
    // It leaves in a request of its own.
    await vi.waitFor(() => expect(proxy.requests.at(-1)).toContain("first"));
    const late = echo("second");
    first.open();
    expect(await answered).toBe("first");
    await expect(late).rejects.toMatchObject({ name: "TimeoutError" });
    const next = [echo("third"), echo("fourth")];
    second.open();
    expect(await Promise.all(next)).toEqual(["third", "fourth"]);
    expect(proxy.connections).toBe(1);
  });

  it("that is cut before an answer rejects what was sent, and sends none of it again", async () => {
    await echo("before");
    proxy.requests.length = 0;
    proxy.decide = (body) => (body.includes("lost") ? "lose" : "pass");
    const lost = await Promise.allSettled([echo("lost one"), echo("lost two")]);
    for (const outcome of lost) expect(outcome).toMatchObject({ reason: { name: "RedisUnreachableError" } });
    for (const text of ["one", "two", "three"]) expect(await echo(text)).toBe(text);
    expect(proxy.requests.filter((body) => body.includes("lost"))).toHaveLength(1);
  });

  it("would send it again with the library as it comes: the check above can fail", async () => {
    const asItComes = new Redis(proxy.port, { protocol: 2 });
    await asItComes.eval("return 1", 0);
    proxy.requests.length = 0;
    let hasLost = false;
    proxy.decide = (body) => {
      if (!body.includes("lost") || hasLost) return "pass";
      hasLost = true;
      return "lose";
    };
    expect(await asItComes.eval("return ARGV[1]", 0, "lost")).toBe("lost");
    expect(proxy.requests.filter((body) => body.includes("lost"))).toHaveLength(2);
    asItComes.disconnect();
  });

  it("that cannot be opened refuses calls, and is opened again in the background", async () => {
    await echo("before");
    proxy.sever();
    for (const text of ["one", "two", "three"])
      await expect(echo(text)).rejects.toMatchObject({ name: "RedisUnreachableError" });
    proxy.heal();
    const { connections } = proxy;
    await vi.waitFor(() => expect(proxy.connections).toBeGreaterThan(connections), { timeout: 5_000 });
    expect(await vi.waitFor(() => echo("after"), { timeout: 5_000 })).toBe("after");
  });

  it("sends nothing of a call whose time was over before there was a connection", async () => {
    const { port } = proxy;
    // Nobody answers the password, so the connection is not ready.
    proxy.decide = (body) => (body.includes("auth") ? "hang" : "pass");
    const address = { ...localAddress(port), password: "word" };
    const waiting = createRedisClients({ address }, createLogger("silent"));
    const call = waiting.slot.evaluate("return ARGV[1]", { keys: [], args: ["too late"] });
    await expect(call).rejects.toMatchObject({ name: "TimeoutError" });
    waiting.close();
    proxy.decide = () => "pass";
    await echo("after");
    expect(proxy.requests.join()).not.toContain("too late");
  });

  it("runs a script whose text Redis has forgotten, and sends it once more only because nothing was run", async () => {
    const count = `return redis.call('INCR', KEYS[1])`;
    const call = { keys: [`count:${crypto.randomUUID()}`], args: [] };
    expect(await redis.slot.evaluate(count, call)).toBe(1);
    await command("SCRIPT", "FLUSH");
    expect(await redis.slot.evaluateEach(count, [call, call])).toEqual([{ result: 2 }, { result: 3 }]);
  });

  it.each(["LOADING Redis is loading", "OOM command not allowed", "MOVED 1 10.0.0.1:6379", "READONLY no", "odd\tone"])(
    "takes no error for an answer: %s",
    async (error) => {
      await echo("before");
      proxy.decide = () => ({ status: 200, body: JSON.stringify({ error }) });
      const call = { keys: ["hash-of-a-key"], args: ["purge"] };
      const code = error.includes("odd") ? "unknown" : error.split(" ")[0];
      await expect(redis.slot.evaluate("return ARGV[1]", call)).rejects.toMatchObject({
        name: "RedisReplyError",
        code,
      });
      proxy.decide = () => ({ status: 200, body: JSON.stringify({ error }) });
      expect(await redis.purge.evaluateEach("return ARGV[1]", [call])).toEqual([{ error: code }]);
    },
  );
});

describe("a server whose Redis is reached by TCP", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServerInstance(await testDatabaseUrl(), { ...local, socketPath: socketPath() });
  });
  afterAll(() => server.close());
  const isPurge = (body: string) => body.includes("'DEL'");

  it("says pending when its connection is cut between the purge and the echo, and effective after the outbox", async () => {
    const { caller, key, secret } = await createWarmKey(server);
    server.redisProxy.requests.length = 0;
    server.redisProxy.decide = (body) => (isPurge(body) ? "lose" : "pass");
    expect((await revokeApiKey(server, caller, key)).effect.status).toBe("pending");
    server.redisProxy.decide = () => "pass";
    expect(server.redisProxy.requests.filter(isPurge)).toHaveLength(1);
    await server.db.update(cachePurges).set({ nextAttemptAt: sql`clock_timestamp()` });
    expect(await drainPurges(server)).toEqual({ confirmed: 1, failed: 0 });
    expect(await effectOfApiKey(server, caller, key)).toMatchObject({ status: "effective" });
    expect(await verifyApiKey(server, secret)).toEqual({ valid: false, reason: "revoked" });
  });

  // By REST each request finds its way anew, so this is promised here alone.
  it("serves no hit from a leader that became a replica: another leader may have been purged", async () => {
    const { secret } = await createWarmKey(server);
    await command("REPLICAOF", "127.0.0.1", "1");
    server.postgresProxy.statements.length = 0;
    expect(await verifyApiKey(server, secret)).toMatchObject({ valid: true });
    expect(server.postgresProxy.statements.length).toBeGreaterThan(0);
    await command("REPLICAOF", "NO", "ONE");
    await vi.waitFor(() => server.slots.read(hashSecret(secret)), { timeout: 5_000 });
    server.postgresProxy.statements.length = 0;
    expect(await verifyApiKey(server, secret)).toMatchObject({ valid: true });
    expect(server.postgresProxy.statements).toHaveLength(0);
  });

  it("answers again after a restart of Redis, and no revoked key passes", async () => {
    const { caller, key, secret } = await createWarmKey(server);
    await revokeApiKey(server, caller, key);
    await local.process?.restart();
    expect(await verifyApiKey(server, secret)).toEqual({ valid: false, reason: "revoked" });
    await vi.waitFor(async () => expect(await checkReadiness(server)).toMatchObject({ redis: "ok" }));
    await vi.waitFor(() => server.slots.read(hashSecret(secret)));
    const other = await createWarmKey(server);
    server.postgresProxy.statements.length = 0;
    expect(await verifyApiKey(server, other.secret)).toMatchObject({ valid: true });
    expect(server.postgresProxy.statements).toHaveLength(0);
    expect((await revokeApiKey(server, other.caller, other.key)).effect.status).toBe("effective");
  });
});

describe("a Redis that asks for a password", () => {
  const password = "hush-hush@word";
  let proxy: RedisTcpProxy;
  let lines: string[];
  const connectWith = (changes: object) => {
    lines = [];
    const logger = createLogger("info", { write: (line) => void lines.push(line) });
    return createRedisClients({ address: { ...localAddress(proxy.port), ...changes } }, logger);
  };
  const ping = (redis: RedisClients) => redis.purge.evaluate("return 'pong'", { keys: [], args: [] });

  beforeAll(async () => {
    proxy = await startRedisTcpProxy(socketPath());
    await command("CONFIG", "SET", "requirepass", password);
    await command("ACL", "SETUSER", "app", "on", `>${password}`, "~*", "&*", "+@all");
  });
  afterAll(async () => {
    await raw.pipeline([
      ["AUTH", password],
      ["CONFIG", "SET", "requirepass", ""],
    ]);
    await proxy.stop();
  });

  it.each([{ password }, { username: "app", password }])("takes the right one, %j", async (credentials) => {
    const redis = connectWith(credentials);
    expect(await ping(redis)).toBe("pong");
    redis.close();
  });

  it.each([
    ["another", { password: `${password}!` }, "WRONGPASS"],
    ["none", {}, "NOAUTH"],
    ["one of another user", { username: "nobody", password }, "WRONGPASS"],
  ])("given %s refuses, says so, and repeats neither password nor command", async (_title, credentials, code) => {
    const redis = connectWith(credentials);
    const [fault, again] = [await ping(redis).catch((error: unknown) => error), await ping(redis).catch(String)];
    expect(fault).toMatchObject({ code });
    redis.close();
    if (code === "WRONGPASS") expect(lines.join()).toContain(code);
    const told = inspect([fault, again], { depth: 10, showHidden: true }) + lines.join();
    expect(told).not.toContain("hush");
    expect(told).not.toContain("pong'");
  });

  it("is not ready for a server that has none", async () => {
    const server = await startServerInstance(await testDatabaseUrl(), { ...local, socketPath: socketPath() });
    expect(await checkReadiness(server)).toMatchObject({ isReady: false, postgres: "ok", redis: "unreachable" });
    await server.close();
  });

  it("is asked in the database of the address, and in no other", async () => {
    const name = `of-one-database:${crypto.randomUUID()}`;
    const third = connectWith({ password, database: 3 });
    await third.slot.evaluate("return redis.call('SET', KEYS[1], '1', 'PX', 60000)", { keys: [name], args: [] });
    third.close();
    const exists = await raw.pipeline([
      ["AUTH", password],
      ["EXISTS", name],
      ["SELECT", "3"],
      ["EXISTS", name],
      ["SELECT", "0"],
    ]);
    expect([exists[1], exists[3]]).toEqual([0, 1]);
    const missing = connectWith({ password, database: 9_999 });
    await expect(ping(missing)).rejects.toMatchObject({ code: "ERR" });
    missing.close();
  });
});

describe("a Redis behind TLS", () => {
  it("is reached when its certificate is trusted, and else sent nothing", async () => {
    const { cert, key } = createSelfSigned();
    const file = join(directory, "certificate.pem");
    await writeFile(file, cert);
    let received = 0;
    const front = createTlsServer({ cert, key }, (client) => {
      client.on("error", () => undefined).on("data", (data: Buffer) => (received += data.length));
      client.pipe(connect(socketPath())).pipe(client);
    });
    await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
    const { port } = front.address() as AddressInfo;
    const place = JSON.stringify({ address: { ...localAddress(port), isEncrypted: true } });
    const ask = async (trusted: Record<string, string>) => {
      const env = { ...process.env, ...trusted, REDIS_PLACE: place };
      const args = ["--import", "tsx", "tests/support/redis-pinger-process.ts"];
      return (await promisify(execFile)(process.execPath, args, { env })).stdout;
    };
    expect(await ask({})).toBe("DEPTH_ZERO_SELF_SIGNED_CERT");
    expect(received).toBe(0);
    expect(await ask({ NODE_EXTRA_CA_CERTS: file })).toBe("pong");
    await new Promise((resolve) => front.close(resolve));
  });
});
