import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { type LocalRedis, startLocalRedis } from "@/local/redis";
import { createRespClient } from "@/local/redis/resp-client";
import { verifyApiKey } from "@/server/keys";
import { useTestServer } from "@/tests/support/domain";
import { runLatchkey } from "@/tests/support/latchkey-command";
import { objectsIn, operate, runWith, settingsOf } from "@/tests/support/operator";
import type { RedisTcpProxy } from "@/tests/support/redis-tcp-proxy";
import { startRedisTcpProxy } from "@/tests/support/redis-tcp-proxy";
import { createWarmKey } from "@/tests/support/server-instance";
import { testDatabaseUrl } from "@/tests/support/services";

interface Report {
  ok: boolean;
  checks: { name: string; ok: boolean; sentence: string }[];
}

const isPurge = (body: string) => body.includes("'DEL'");
const upstash = { UPSTASH_REDIS_REST_URL: "https://redis.example.com", UPSTASH_REDIS_REST_TOKEN: "hush-token" };

describe("an operator whose Redis is named by REDIS_URL", () => {
  const server = useTestServer("tcp");
  beforeEach(() => {
    server().redisProxy.decide = () => "pass";
  });

  it("ends a key that is in use, and the command ends by itself", async () => {
    const { key, secret } = await createWarmKey(server());
    const ended = await runLatchkey(["revoke", "--json", key.id], settingsOf(server()));
    expect([ended.code, ended.errors]).toEqual([0, "Effective: 1. Pending: 0.\n"]);
    expect(objectsIn(ended)).toMatchObject([{ id: key.id, effect: { status: "effective" } }]);
    server().postgresProxy.statements.length = 0;
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "revoked" });
    // The tombstone that the purge has left has answered.
    expect(server().postgresProxy.statements).toEqual([]);
  });

  it.each(["refuse", "lose", "hang"] as const)("has a pending receipt where a purge meets “%s”", async (fate) => {
    const { key, secret, caller } = await createWarmKey(server());
    server().redisProxy.decide = (body) => (isPurge(body) ? fate : "pass");
    const ended = await operate(server(), ["revoke-owner", "--json", caller.ownerId]);
    expect([ended.code, objectsIn(ended)]).toMatchObject([0, [{ effect: { status: "pending" } }]]);
    server().redisProxy.decide = () => "pass";
    const again = await operate(server(), ["revoke", "--json", key.id]);
    expect(objectsIn(again)).toMatchObject([{ effect: { status: "effective" } }]);
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "revoked" });
  });

  it("is asked for no Redis by a dry run", async () => {
    const { key } = await createWarmKey(server());
    for (const settings of [{ REDIS_URL: "" }, { REDIS_URL: "nonsense" }, upstash])
      expect((await operate(server(), ["revoke", "--dry-run", key.id], "", settings)).code).toBe(0);
  });

  it.each([
    ["Upstash's two beside it", upstash, Object.keys(upstash)],
    [
      "Upstash's address beside it",
      { UPSTASH_REDIS_REST_URL: "https://redis.example.com" },
      ["UPSTASH_REDIS_REST_URL"],
    ],
    ["Upstash's token beside it", { UPSTASH_REDIS_REST_TOKEN: "hush-token" }, ["UPSTASH_REDIS_REST_TOKEN"]],
    ["a malformed one", { REDIS_URL: "redis://:hush-hush%@redis.example.com" }, []],
    ["no Redis at all", { REDIS_URL: "" }, ["UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"]],
  ])("with %s is told the names, and nothing is revoked", async (_title, settings, names) => {
    const { key, secret, caller } = await createWarmKey(server());
    for (const args of [
      ["revoke", key.id],
      ["revoke-owner", caller.ownerId],
      ["doctor", "--json"],
    ]) {
      const ended = await operate(server(), args, "", settings);
      expect(ended.code).toBe(1);
      for (const name of ["REDIS_URL", ...names]) expect(ended.output + ended.errors).toContain(name);
      expect(ended.output + ended.errors).not.toContain("hush");
    }
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
  });
});

describe("latchkey doctor, where REDIS_URL", () => {
  const password = "hush-hush@word";
  let directory: string;
  let local: LocalRedis;
  let raw: ReturnType<typeof createRespClient>;
  let proxy: RedisTcpProxy;
  let databaseUrl: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "latchkey-doctor-"));
    local = await startLocalRedis({ server: "redis-server", directory });
    const socketPath = local.process?.socketPath ?? "";
    raw = createRespClient(socketPath);
    proxy = await startRedisTcpProxy(socketPath);
    databaseUrl = await testDatabaseUrl();
  });
  beforeEach(() => {
    proxy.decide = () => "pass";
  });
  afterAll(async () => {
    await proxy.stop();
    await raw.close();
    await local.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function examine(REDIS_URL = proxy.url) {
    const environment = { REDIS_URL, DATABASE_URL: databaseUrl };
    const ended = await runWith(["doctor", "--json"], { environment });
    const { checks } = JSON.parse(ended.output) as Report;
    expect(ended.output + ended.errors).not.toContain("hush");
    const failed = checks.filter(({ ok }) => !ok).map(({ name }) => name);
    expect(ended.code).toBe(failed.length > 0 ? 1 : 0);
    return { failed, sentenceOf: (name: string) => checks.find((check) => check.name === name)?.sentence ?? "" };
  }

  it.each([
    ["leads to a Redis that refuses", "refuse" as const, "does not take a purge"],
    ["leads to one that loses the answer", "lose" as const, "does not take a purge"],
    ["leads to one that never answers", "hang" as const, "no answer in time"],
    [
      "leads to one that answers something else",
      { status: 200, body: '{"result":"OK"}' },
      "does not give back the echo",
    ],
    ["is of a user who may not purge", { status: 200, body: '{"error":"NOPERM no"}' }, "allow EVALSHA, EVAL, SETRANGE"],
  ])("%s, says so", async (_title, fate, words) => {
    proxy.decide = (body) => (isPurge(body) ? fate : "pass");
    const { failed, sentenceOf } = await examine();
    expect(failed).toContain("redis");
    expect(sentenceOf("redis")).toContain(words);
    expect(sentenceOf("redis")).not.toContain("UPSTASH");
  });

  it("leads nowhere, names it", async () => {
    const { failed, sentenceOf } = await examine("redis://127.0.0.1:1");
    expect(failed).toEqual(["redis", "clocks"]);
    expect(sentenceOf("redis")).toMatch(/ECONNREFUSED.*REDIS_URL/);
  });

  it("leads to a replica, says so", async () => {
    // Of nobody: a leader that does not answer does not matter to it.
    await raw.pipeline([["REPLICAOF", "127.0.0.1", "1"]]);
    try {
      const { failed, sentenceOf } = await examine();
      expect(failed).toEqual(["redis"]);
      expect(sentenceOf("redis")).toContain("no replica");
    } finally {
      await raw.pipeline([["REPLICAOF", "NO", "ONE"]]);
    }
    expect((await examine()).failed).toEqual([]);
  });

  it("has another password than Redis, or none, says so and repeats none", async () => {
    await raw.pipeline([["CONFIG", "SET", "requirepass", password]]);
    try {
      const withPassword = (word: string) => proxy.url.replace("//", `//:${encodeURIComponent(word)}@`);
      expect((await examine(withPassword(password))).failed).toEqual([]);
      const wrong = await examine(withPassword("hush"));
      expect(wrong.failed).toEqual(["redis", "clocks"]);
      expect(wrong.sentenceOf("redis")).toMatch(/does not take a purge \(WRONGPASS\).*REDIS_URL, with the password/);
      const none = await examine();
      expect(none.failed).toEqual(["redis", "clocks"]);
      expect(none.sentenceOf("redis")).toContain("take the password in REDIS_URL");
    } finally {
      await raw.pipeline([
        ["AUTH", password],
        ["CONFIG", "SET", "requirepass", ""],
      ]);
    }
  });

  it("leads to what takes connections and never answers, ends as a process with every check", async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => sockets.add(socket.on("error", () => undefined)));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    const settings = { REDIS_URL: `redis://:word@127.0.0.1:${port}`, DATABASE_URL: databaseUrl };
    const { code, output } = await runLatchkey(["doctor", "--json"], settings);
    const failed = (JSON.parse(output) as Report).checks.filter(({ ok }) => !ok);
    expect([code, failed.map(({ name }) => name)]).toEqual([1, ["redis", "clocks"]]);
    expect(failed[0]?.sentence).toContain("no answer in time");
    silent.close();
    for (const socket of sockets) socket.destroy();
  });
});
