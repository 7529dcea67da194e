import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createEngine, type Engine } from "@/local/redis/engine/engine";
import { findRedisServer, startRedisServer, type RedisServer } from "@/local/redis/redis-server";
import { ErrorReply, Status, type Backend, type Reply } from "@/local/redis/reply";
import { createRespClient } from "@/local/redis/resp-client";
import { sha1 } from "@/local/redis/sha1";

import { createRandom } from "../../support/random";
import { type Batch, createCommandGenerator } from "./command-generator";
import { ALL_KEYS } from "./vocabulary";
import { FUZZ_SCRIPTS } from "./fuzz-scripts";

const COMMAND_COUNT = Number(process.env.LATCHKEY_FUZZ_COMMANDS ?? 50_000);
const SEED = Number(process.env.LATCHKEY_FUZZ_SEED ?? 20_260_101);
/** Each command and each script must have run this often in the default run. */
const LEAST_RUNS = 10;
/** The two sides run a batch one after the other: a time that counts from "now" may differ by as much. */
const CLOCK_SKEW_MILLISECONDS = 5000;
const FAR_MILLISECONDS = 4_000_000_000_000;

/** Commands of the engine that a comparison can say nothing about; each has a test of its own in engine.test.ts. */
const NOT_COMPARABLE: Record<string, string> = {
  TIME: "two clocks are read at two moments",
  RANDOMKEY: "its answer is random",
};
/** Redis leaves their order open. */
const UNORDERED = ["SMEMBERS", "KEYS", "SCAN"];
const TIMES = ["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"];

describe("the embedded engine beside a real redis-server", () => {
  let directory: string;
  let server: RedisServer;
  let real: Backend;
  let engine: Engine;
  let isSameVersion = false;

  beforeAll(async () => {
    const path = findRedisServer();
    if (path === null) throw new Error("no redis-server on PATH: set LATCHKEY_NO_REDIS_SERVER=1 to leave this out");
    directory = mkdtempSync(join(tmpdir(), "latchkey-fuzz-"));
    server = await startRedisServer(path, directory);
    real = createRespClient(server.socketPath);
    engine = createEngine();
    const [info = null] = await real.pipeline([["INFO", "server"]]);
    // Other versions word some errors and print some doubles differently; there only codes and values are compared.
    isSameVersion = typeof info === "string" && info.includes("redis_version:7.0.") && !info.includes("valkey");
  });

  afterAll(async () => {
    await engine.close();
    await real.close();
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it(
    `answers ${COMMAND_COUNT} random commands and scripts exactly as it does`,
    async () => {
      const generator = createCommandGenerator(createRandom(SEED), FUZZ_SCRIPTS, sha1);
      const runs = new Map<string, number>();
      const count = (name: string): void => void runs.set(name, (runs.get(name) ?? 0) + 1);
      const differences: string[] = [];

      const compare = async ({ isTransaction, commands }: Batch): Promise<void> => {
        const run = (backend: Backend): Promise<Reply> =>
          (isTransaction ? backend.transact(commands) : backend.pipeline(commands)).then((replies) => replies);
        const [theirs, ours] = [await run(real), await run(engine)];
        if (!Array.isArray(theirs) || !Array.isArray(ours)) {
          if (show(theirs) !== show(ours))
            differences.push(
              `transaction ${JSON.stringify(commands)}\n  redis  ${show(theirs)}\n  engine ${show(ours)}`,
            );
          return;
        }
        commands.forEach((command, index) => {
          const [expected, actual] = [theirs[index] ?? null, ours[index] ?? null];
          count((command[0] ?? "").toUpperCase());
          count(`script ${generator.scriptOf(command)}`);
          if (!isSame(command, expected, actual, isSameVersion))
            differences.push(`${JSON.stringify(command)}\n  redis  ${show(expected)}\n  engine ${show(actual)}`);
        });
      };

      let compared = 0;
      for (let batch = 1; compared < COMMAND_COUNT; batch++) {
        const random = generator.next();
        await compare(random);
        compared += random.commands.length;
        if (batch % 3 === 0) await compare({ isTransaction: false, commands: wholeState() });
      }

      expect(
        differences.length,
        `seed ${SEED}, the first of the differences:\n${differences.slice(0, 8).join("\n")}`,
      ).toBe(0);
      expect(compared).toBeGreaterThanOrEqual(COMMAND_COUNT);
      const rare = [...generator.commandNames, ...generator.scriptNames.map((name) => `script ${name}`)].filter(
        (name) => (runs.get(name) ?? 0) < LEAST_RUNS,
      );
      expect(rare).toEqual([]);
    },
    // A bound on a hang, not on the speed: 50,000 commands take a few seconds.
    120_000 + COMMAND_COUNT * 5,
  );

  it("has every command of the engine in that comparison, or in the list of those that cannot be compared", () => {
    const generator = createCommandGenerator(createRandom(SEED), FUZZ_SCRIPTS, sha1);
    expect([...generator.commandNames, ...Object.keys(NOT_COMPARABLE)].sort()).toEqual([...engine.commandNames].sort());
  });
});

/** Touches every key first, so that neither side still holds expired ones. */
function wholeState(): string[][] {
  const state = ALL_KEYS.flatMap((key) => [
    ["TYPE", key],
    ["PEXPIRETIME", key],
  ]);
  const values = [
    ...["s1", "s2", "s3", "n1", "n2", "f1"].map((key) => ["GET", key]),
    ...["h1", "h2", "h3"].map((key) => ["HGETALL", key]),
    ...["z1", "z2", "z3"].map((key) => ["ZRANGE", key, "0", "-1", "WITHSCORES"]),
    ...["l1", "l2"].map((key) => ["LRANGE", key, "0", "-1"]),
    ...["m1", "m2"].map((key) => ["SMEMBERS", key]),
  ];
  return [...state, ["DBSIZE"], ...values];
}

function isSame(command: readonly string[], expected: Reply, actual: Reply, isSameVersion: boolean): boolean {
  const words = command.map((word) => word.toUpperCase());
  const isUnordered = UNORDERED.some((name) => words.includes(name));
  const shown = [expected, actual].map((reply) => show(isUnordered ? sorted(reply) : reply));
  if (shown[0] === shown[1]) return true;
  if (TIMES.some((name) => words.includes(name))) return isSameTime(expected, actual);
  return !isSameVersion && isSameBesidesWording(expected, actual);
}

/** Exact for absolute times, which both were given; relative ones count from two moments. */
function isSameTime(expected: Reply, actual: Reply): boolean {
  if (Array.isArray(expected) && Array.isArray(actual))
    return (
      expected.length === actual.length && expected.every((item, index) => isSameTime(item, actual[index] ?? null))
    );
  if (show(expected) === show(actual)) return true;
  if (!isInteger(expected) || !isInteger(actual) || expected < 0 || actual < 0) return false;
  const isAbsolute = expected >= FAR_MILLISECONDS && expected < FAR_MILLISECONDS + 10_000;
  const apart = BigInt(expected) - BigInt(actual);
  return !isAbsolute && apart <= CLOCK_SKEW_MILLISECONDS && apart >= -CLOCK_SKEW_MILLISECONDS;
}

function isInteger(reply: Reply): reply is number | bigint {
  return typeof reply === "number" || typeof reply === "bigint";
}

function isSameBesidesWording(expected: Reply, actual: Reply): boolean {
  if (Array.isArray(expected) && Array.isArray(actual))
    return (
      expected.length === actual.length &&
      expected.every((item, index) => isSameBesidesWording(item, actual[index] ?? null))
    );
  if (expected instanceof ErrorReply && actual instanceof ErrorReply)
    return expected.message.split(" ")[0] === actual.message.split(" ")[0];
  if (
    typeof expected === "string" &&
    typeof actual === "string" &&
    expected !== "" &&
    Number(expected) === Number(actual)
  )
    return true;
  return show(expected) === show(actual);
}

function sorted(reply: Reply): Reply {
  if (!Array.isArray(reply)) return reply;
  return reply.map(sorted).sort((left, right) => (show(left) < show(right) ? -1 : 1));
}

function show(reply: Reply): string {
  if (reply === null) return "(nil)";
  if (reply instanceof Status) return `+${reply.text}`;
  if (reply instanceof ErrorReply) return `-${reply.message}`;
  if (Array.isArray(reply)) return `[${reply.map(show).join(", ")}]`;
  return typeof reply === "string" ? JSON.stringify(reply) : `:${reply}`;
}
