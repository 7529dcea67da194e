import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { startLocalRedis, type LocalRedis } from "@/local/redis";

import { restKinds } from "../../support/redis-kinds";

describe.each(restKinds)("Upstash's REST API in front of %s", (kind) => {
  const directory = mkdtempSync(join(tmpdir(), "latchkey-bridge-"));
  let local: LocalRedis;
  let redis: Redis;
  /** As the app uses it: strings stay strings. */
  let raw: Redis;

  beforeAll(async () => {
    local = await startLocalRedis({ server: kind, directory });
    redis = new Redis({ url: local.url, token: local.token, retry: { retries: 0 } });
    raw = new Redis({ url: local.url, token: local.token, retry: { retries: 0 }, automaticDeserialization: false });
  });
  beforeEach(() => redis.flushall());
  afterAll(async () => {
    await local.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function post(
    path: string,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: unknown }> {
    const authorization = `Bearer ${local.token}`;
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const response = await fetch(local.url + path, {
      method: "POST",
      headers: { authorization, ...headers },
      body: text,
    });
    return { status: response.status, body: await response.json() };
  }

  describe("authorisation", () => {
    it.each(["/", "/pipeline", "/multi-exec"])("refuses %s without the token, and runs nothing", async (path) => {
      const command = ["SET", "intruder", "1"];
      for (const authorization of [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        local.token,
        `Basic ${local.token}`,
        `Bearer ${local.token}x`,
      ]) {
        const answer = await post(path, path === "/" ? command : [command], { authorization });
        expect(answer).toEqual({ status: 401, body: { error: expect.any(String) as unknown } });
      }
      expect(await redis.exists("intruder")).toBe(0);
    });
  });

  describe("values", () => {
    it.each([
      "plain",
      "",
      "OK",
      "null",
      "123",
      "ünïcode ✓ 🔑",
      "a\0b\u0001c",
      '{"json":true}',
      "line\r\nbreak",
      "x".repeat(300_000),
    ])("gives back %j exactly as it was set", async (value) => {
      await raw.set("key", value);
      expect(await raw.get("key")).toBe(value);
      expect(await raw.eval("return ARGV[1]", [], [value])).toBe(value);
    });

    it("keeps bytes that are not UTF-8, and shows them in base64", async () => {
      await raw.eval("return redis.call('SET', KEYS[1], string.char(0, 255, 128, 10))", ["bytes"], []);
      const answer = await post("/", ["GET", "bytes"], { "Upstash-Encoding": "base64" });
      expect(answer.body).toEqual({ result: Buffer.from([0, 255, 128, 10]).toString("base64") });
    });

    it("encodes every string at every depth, OK too, and leaves integers and null", async () => {
      const script = "return {'a', 1, false, {'b', {ok = 'OK'}}}";
      const answer = await post(
        "/pipeline",
        [
          ["SET", "k", "v"],
          ["GET", "k"],
          ["EVAL", script, "0"],
          ["GET", "none"],
        ],
        { "Upstash-Encoding": "base64" },
      );
      const encoded = (text: string): string => Buffer.from(text).toString("base64");
      expect(answer.body).toEqual([
        { result: encoded("OK") },
        { result: encoded("v") },
        { result: [encoded("a"), 1, null, [encoded("b"), encoded("OK")]] },
        { result: null },
      ]);
    });

    it("encodes nothing that was not asked for in base64", async () => {
      expect(
        (
          await post("/pipeline", [
            ["SET", "k", "v ✓"],
            ["GET", "k"],
          ])
        ).body,
      ).toEqual([{ result: "OK" }, { result: "v ✓" }]);
    });

    it("writes 64-bit integers in full", async () => {
      const response = await fetch(local.url, {
        method: "POST",
        headers: { authorization: `Bearer ${local.token}` },
        body: JSON.stringify(["INCRBY", "big", "9223372036854775807"]),
      });
      expect(await response.text()).toBe('{"result":9223372036854775807}');
    });

    it("takes numbers and booleans as arguments", async () => {
      await post("/", ["SET", "k", 42]);
      await post("/", ["APPEND", "k", true]);
      expect((await post("/", ["GET", "k"])).body).toEqual({ result: "42true" });
    });
  });

  describe("errors", () => {
    it("answers a command's error with 400 and Redis's text", async () => {
      await redis.set("text", "x");
      expect(await post("/", ["INCR", "text"])).toEqual({
        status: 400,
        body: { error: "ERR value is not an integer or out of range" },
      });
      expect(await post("/", ["GET"])).toEqual({
        status: 400,
        body: { error: "ERR wrong number of arguments for 'get' command" },
      });
      const unknown = { error: "ERR unknown command 'NOPE', with args beginning with: 'a' " };
      expect(await post("/", ["NOPE", "a"])).toEqual({ status: 400, body: unknown });
    });

    it.each(["", "null", "{}", "[]", '"GET"', "[null]", '["GET", {"a": 1}]', '["GET", ["a"]]', "[1", "not json"])(
      "answers the body %j with 400",
      async (body) => {
        for (const path of ["/", "/pipeline", "/multi-exec"]) {
          expect(await post(path, body)).toEqual({ status: 400, body: { error: expect.any(String) as unknown } });
        }
      },
    );

    it("refuses a body of more than 10 MiB and goes on serving", async () => {
      expect((await post("/", ["SET", "k", "x".repeat(11 * 1024 * 1024)])).status).toBe(413);
      expect(await redis.exists("k")).toBe(0);
    });

    it.each([
      ["SUBSCRIBE", "c"],
      ["monitor"],
      ["BLPOP", "list", "0"],
      ["XREAD", "BLOCK", "0", "STREAMS", "s", "$"],
      ["SELECT", "1"],
      ["Multi"],
      ["WATCH", "k"],
      ["CLIENT", "REPLY", "OFF"],
      ["QUIT"],
      ["RESET"],
      ["HELLO", "3"],
      ["SHUTDOWN"],
      ["SCRIPT", "DEBUG", "YES"],
    ])("refuses %s, alone and with others, and the connection goes on", async (...command) => {
      const refusal = {
        status: 400,
        body: { error: expect.stringContaining("ERR Command is not available") as unknown },
      };
      expect(await post("/", command)).toEqual(refusal);
      expect(await post("/pipeline", [["SET", "before", "1"], command])).toEqual(refusal);
      expect(await post("/multi-exec", [["SET", "before", "1"], command])).toEqual(refusal);
      expect(await redis.exists("before")).toBe(0);
    });
  });

  describe("pipelines and transactions", () => {
    it("answers each command of a pipeline, errors beside results", async () => {
      const pipeline = redis.pipeline().set("text", "x").incr("text").get("text");
      expect(await pipeline.exec({ keepErrors: true })).toEqual([
        { result: "OK" },
        { error: "ERR value is not an integer or out of range" },
        { result: "x" },
      ]);
    });

    it("runs a transaction's commands, and the rest after one that fails", async () => {
      expect(
        (
          await post("/multi-exec", [
            ["SET", "t", "x"],
            ["INCR", "t"],
            ["GET", "t"],
          ])
        ).body,
      ).toEqual([{ result: "OK" }, { error: "ERR value is not an integer or out of range" }, { result: "x" }]);
      expect(await redis.multi().set("n", 1).incr("n").exec()).toEqual(["OK", 2]);
    });

    it("runs nothing of a transaction with a command that cannot be", async () => {
      expect(await post("/multi-exec", [["SET", "k", "1"], ["GET"]])).toEqual({
        status: 400,
        body: { error: "EXECABORT Transaction discarded because of previous errors." },
      });
      expect(await redis.exists("k")).toBe(0);
    });

    it("lets nothing of 40 concurrent transactions come between another's commands", async () => {
      const script = "local n = tonumber(redis.call('GET', KEYS[1]) or '0') return redis.call('SET', KEYS[1], n + 1)";
      const transactions = Array.from({ length: 40 }, () =>
        redis.multi().incr("n").eval(script, ["n"], []).decr("n").get("n").exec<[number, string, number, number]>(),
      );
      const seen = (await Promise.all(transactions)).map(([first, , last, read]) => [last - first, read - last]);
      expect(seen).toEqual(Array.from({ length: 40 }, () => [0, 0]));
      expect(await redis.get("n")).toBe(40);
    });
  });

  describe("scripts", () => {
    const sha1 = (script: string): string => createHash("sha1").update(script).digest("hex");

    it("evaluates with keys, arguments and every kind of answer", async () => {
      const script =
        "redis.call('SET', KEYS[1], ARGV[1]) return {redis.call('GET', KEYS[1]), 7.9, false, true, {ok = 'fine'}}";
      expect(await raw.eval(script, ["k"], ["v"])).toEqual(["v", 7, null, 1, "fine"]);
    });

    it("answers EVALSHA with NOSCRIPT until the script was seen", async () => {
      const script = `return '${kind} first seen here'`;
      await expect(raw.evalsha(sha1(script), [], [])).rejects.toThrow("NOSCRIPT");
      await raw.eval(script, [], []);
      expect(await raw.evalsha(sha1(script), [], [])).toBe(`${kind} first seen here`);
      expect(await raw.scriptExists(sha1(script), "0".repeat(40))).toEqual([1, 0]);
    });

    it("takes a script with Upstash's own flag, under the hash of the text that the client sent", async () => {
      const script = "#!lua flags=allow-key-locking\nreturn redis.call('INCR', KEYS[1])";
      await expect(raw.evalsha(sha1(script), ["n"], [])).rejects.toThrow("NOSCRIPT");
      expect(await raw.eval(script, ["n"], [])).toBe(1);
      expect(await raw.evalsha(sha1(script), ["n"], [])).toBe(2);
      expect(await raw.scriptLoad(script)).toBe(sha1(script));
      expect(await raw.scriptExists(sha1(script))).toEqual([1]);
    });

    it("leaves a script's other flags in force", async () => {
      const script = "#!lua flags=no-writes,allow-key-locking\nreturn redis.call('SET', KEYS[1], '1')";
      await expect(raw.eval(script, ["k"], [])).rejects.toThrow(
        "Write commands are not allowed from read-only scripts",
      );
    });

    it("gives a script the error of a command as Redis words it, with script and line", async () => {
      const script = "redis.call('SET', KEYS[1], 'x')\nreturn redis.call('INCR', KEYS[1])";
      const { body } = await post("/", ["EVAL", script, "1", "k"]);
      expect(body).toEqual({
        error: `ERR value is not an integer or out of range script: ${sha1(script)}, on @user_script:2.`,
      });
    });

    it("keeps a key that a script sets with PX and PXAT for as long as it says", async () => {
      await raw.eval(
        "redis.call('SET', KEYS[1], 'a', 'PX', 60000) redis.call('SET', KEYS[2], 'b', 'PXAT', 4000000000000)",
        ["a", "b"],
        [],
      );
      expect(await raw.pttl("a")).toBeGreaterThan(0);
      expect(await raw.pttl("a")).toBeLessThanOrEqual(60_000);
      expect((await post("/", ["PEXPIRETIME", "b"])).body).toEqual({ result: 4_000_000_000_000 });
    });

    it("reads the clock in a script as a lease needs it: seconds and microseconds", async () => {
      const [seconds = "", microseconds = ""] = await raw.eval<[], string[]>("return redis.call('TIME')", [], []);
      expect(seconds).toMatch(/^\d{10}$/);
      expect(Number(microseconds)).toBeLessThan(1_000_000);
      expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(60);
    });
  });

  describe("@upstash/ratelimit", () => {
    const limiters = {
      fixedWindow: () => Ratelimit.fixedWindow(5, "1 h"),
      slidingWindow: () => Ratelimit.slidingWindow(5, "1 h"),
      tokenBucket: () => Ratelimit.tokenBucket(5, "1 h", 5),
    };

    it.each(Object.keys(limiters) as (keyof typeof limiters)[])(
      "lets exactly 5 of 12 concurrent requests through by %s, and counts owners apart",
      async (name) => {
        const ratelimit = new Ratelimit({
          redis,
          limiter: limiters[name](),
          prefix: `${name}-test`,
          ephemeralCache: false,
          timeout: 0,
        });
        const answers = await Promise.all(Array.from({ length: 12 }, () => ratelimit.limit("ada")));
        expect(answers.filter((answer) => answer.success)).toHaveLength(5);
        expect((await ratelimit.limit("grace")).remaining).toBe(4);
        expect((await ratelimit.getRemaining("ada")).remaining).toBe(0);
        await ratelimit.resetUsedTokens("ada");
        expect((await ratelimit.limit("ada")).success).toBe(true);
      },
    );
  });
});
