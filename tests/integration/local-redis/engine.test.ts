import { describe, expect, it } from "vitest";

import { createEngine, type Engine } from "@/local/redis/engine/engine";
import { ErrorReply, OK, type Reply } from "@/local/redis/reply";
import { sha1 } from "@/local/redis/sha1";

const START_MILLISECONDS = 1_700_000_000_000;

function createClockedEngine(): {
  engine: Engine;
  run: (...command: string[]) => Promise<Reply>;
  advance: (milliseconds: number) => void;
} {
  let now = START_MILLISECONDS;
  const engine = createEngine({ now: () => now });
  return {
    engine,
    run: async (...command) => (await engine.pipeline([command]))[0] ?? null,
    advance: (milliseconds) => void (now += milliseconds),
  };
}

describe("the embedded engine's clock", () => {
  it.each([
    ["PX", ["SET", "k", "v", "PX", "100"]],
    ["PXAT", ["SET", "k", "v", "PXAT", String(START_MILLISECONDS + 100)]],
    ["PSETEX", ["PSETEX", "k", "100", "v"]],
  ])("keeps a key set by %s through its last millisecond and not the one after", async (_name, command) => {
    const { run, advance } = createClockedEngine();
    await run(...command);
    advance(100);
    expect(await run("GET", "k")).toBe("v");
    advance(1);
    expect(await run("GET", "k")).toBe(null);
    expect(await run("PTTL", "k")).toBe(-2);
    expect(await run("DBSIZE")).toBe(0);
  });

  it("counts an expired hash, list, set and sorted set as absent for writes", async () => {
    const { run, advance } = createClockedEngine();
    const writes = [
      ["HSET", "h", "f", "1"],
      ["RPUSH", "l", "1"],
      ["SADD", "s", "1"],
      ["ZADD", "z", "1", "m"],
    ];
    for (const [name = "", key = "", ...rest] of writes) {
      await run(name, key, ...rest);
      await run("PEXPIRE", key, "10");
      advance(11);
      expect(await run(name, key, ...rest)).toBe(1);
      expect(await run("PTTL", key)).toBe(-1);
    }
  });

  it("tells TIME in seconds and microseconds, never twice the same", async () => {
    const { run } = createClockedEngine();
    expect(await run("TIME")).toEqual(["1700000000", "0"]);
    expect(await run("TIME")).toEqual(["1700000000", "1"]);
    expect(await run("EVAL", "local t = redis.call('TIME') return t[1] .. ' ' .. t[2]", "0")).toBe("1700000000 2");
  });

  it("lets no key expire while a script runs", async () => {
    let now = START_MILLISECONDS;
    // A clock that moves on at each reading: only a frozen one keeps the key to the end.
    const engine = createEngine({ now: () => now++ });
    const script =
      "redis.call('SET', KEYS[1], 'v', 'PX', 3) for _ = 1, 20 do if not redis.call('GET', KEYS[1]) then return 'expired' end end return 'held'";
    expect(await engine.pipeline([["EVAL", script, "1", "k"]])).toEqual(["held"]);
    now += 100;
    expect(await engine.pipeline([["GET", "k"]])).toEqual([null]);
  });
});

describe("the embedded engine", () => {
  it("answers RANDOMKEY with a key that exists, and null without one", async () => {
    const { run } = createClockedEngine();
    expect(await run("RANDOMKEY")).toBe(null);
    await run("MSET", "a", "1", "b", "2");
    expect(["a", "b"]).toContain(await run("RANDOMKEY"));
  });

  it("has two engines share nothing, scripts included", async () => {
    const [first, second] = [createClockedEngine(), createClockedEngine()];
    await first.run("SET", "k", "v");
    await first.run("SCRIPT", "LOAD", "return 1");
    expect(await first.run("EVALSHA", sha1("return 1"), "0")).toBe(1);
    expect(await second.run("GET", "k")).toBe(null);
    expect(await second.run("EVALSHA", sha1("return 1"), "0")).toBeInstanceOf(ErrorReply);
  });

  it("shows a script nothing that another script left behind, files and processes neither", async () => {
    const { run } = createClockedEngine();
    await run("EVAL", "KEYS.left = 'x' ARGV[1] = 'y'", "1", "k", "v");
    expect(await run("EVAL", "return {KEYS.left or 'nothing', #KEYS, #ARGV}", "0")).toEqual(["nothing", 0, 0]);
    for (const name of [
      "os",
      "io",
      "debug",
      "package",
      "require",
      "dofile",
      "loadfile",
      "getfenv",
      "setfenv",
      "print",
    ]) {
      expect(await run("EVAL", `return ${name}`, "0"), name).toBeInstanceOf(ErrorReply);
      expect(await run("EVAL", `return loadstring("return ${name}")()`, "0"), name).toBeInstanceOf(ErrorReply);
    }
  });

  it("goes on after a script that ran out of stack", async () => {
    const { run } = createClockedEngine();
    expect(await run("EVAL", "local function f() return 1 + f() end return f()", "0")).toBeInstanceOf(ErrorReply);
    expect(await run("SET", "k", "v")).toEqual(OK);
    expect(await run("EVAL", "return redis.call('GET', KEYS[1])", "1", "k")).toBe("v");
  });

  it("leaves the process's own handling of unhandled rejections as it was", () => {
    const before = process.rawListeners("unhandledRejection");
    createEngine();
    expect(process.rawListeners("unhandledRejection")).toEqual(before);
  });
});
