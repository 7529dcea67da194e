import { parseRedisSettings } from "../../settings/env";
import { createSlots } from "../../slot/slot";
import type { CommandIo } from "../command-io";
import { connectRedis } from "../connect-redis";
import { type Check, type ClockReading, readClockOf, reasonOf, withinLimit } from "./check";

/** No key has this hash, so its purge changes nothing. It shows whether Redis takes purges. */
const probe = { hash: Buffer.alloc(32), target: "absent" } as const;
const meaning =
  "Keys then work only as the database answers, and every revocation stays pending, refused at its time at the latest.";

/** Asks Redis what a revocation needs of it: a purge that comes back with its echo. */
export async function examineRedis(
  { environment }: Pick<CommandIo, "environment">,
  now: () => number,
): Promise<{ checks: Check[]; clock: ClockReading | null }> {
  const settings = readRedisSettings(environment);
  if (!settings) {
    const sentence = "Not asked: its settings are missing or malformed, see the settings above.";
    return { checks: namesOfChecks.map((name) => ({ name, ok: false, sentence })), clock: null };
  }
  const { API_KEY_REDIS_PREFIX: prefix, REDIS_URL } = settings;
  const redis = connectRedis(settings);
  try {
    const [echo, policy, clock] = await Promise.all([
      examineEcho(() => createSlots({ redis, prefix }).purge([probe]), REDIS_URL === undefined ? byRest : byTcp),
      examineEvictionPolicy(() => redis.purge.info("memory")),
      readClock(now, () => redis.purge.evaluate("return redis.call('TIME')", { keys: [], args: [] })),
    ]);
    return { checks: [echo, policy], clock };
  } finally {
    redis.close();
  }
}

/** What to look at, by the way to Redis. */
const byRest = { address: "UPSTASH_REDIS_REST_URL, its token,", needs: "allow EVAL, DEL and SET" };
const byTcp = {
  address: "REDIS_URL, with the password in it,",
  needs: "take the password in REDIS_URL, allow EVALSHA, EVAL, SETRANGE, DEL and SET",
};

const namesOfChecks = ["redis", "eviction_policy"] as const;

function readRedisSettings(environment: CommandIo["environment"]) {
  try {
    return parseRedisSettings(environment);
  } catch {
    return null;
  }
}

async function examineEcho(purge: () => Promise<boolean[]>, { address, needs }: typeof byRest): Promise<Check> {
  const name = "redis";
  try {
    const [isConfirmed] = await withinLimit(purge());
    if (isConfirmed) return { name, ok: true, sentence: "Redis runs a purge and gives back its echo." };
    return {
      name,
      ok: false,
      sentence: `Redis answers, but it does not give back the echo of a purge. ${meaning} It must ${needs}, and be the leader, no replica.`,
    };
  } catch (fault) {
    return {
      name,
      ok: false,
      sentence: `Redis does not take a purge (${reasonOf(fault)}). ${meaning} Look at ${address} and the Redis itself.`,
    };
  }
}

/** The guarantee depends on no policy, so none is a failure. */
async function examineEvictionPolicy(info: () => Promise<unknown>): Promise<Check> {
  const name = "eviction_policy";
  try {
    const text = String(await withinLimit(info()));
    const policy = /^maxmemory_policy:([a-z-]{1,40})/m.exec(text)?.[1];
    const isUnbounded = /^maxmemory:0\r?$/m.test(text);
    if (!policy) return { name, ok: true, sentence: "Redis does not tell it. The guarantee does not depend on it." };
    const advice =
      policy === "noeviction" && !isUnbounded
        ? " A full Redis then stores nothing new, and each verification reads the database: allkeys-lru is better."
        : "";
    return { name, ok: true, sentence: `It is ${policy}. The guarantee does not depend on it.${advice}` };
  } catch {
    return { name, ok: true, sentence: "It cannot be told. The guarantee does not depend on it." };
  }
}

async function readClock(now: () => number, time: () => Promise<unknown>): Promise<ClockReading | null> {
  try {
    const { clock } = await withinLimit(readClockOf(now, time, millisecondsOf));
    return Number.isFinite(clock.aheadMilliseconds) ? clock : null;
  } catch {
    return null;
  }
}

/** Redis tells seconds and, apart, microseconds. */
function millisecondsOf(answer: unknown): number {
  const [seconds, microseconds] = Array.isArray(answer) ? answer.map(Number) : [];
  return (seconds ?? NaN) * 1_000 + (microseconds ?? NaN) / 1_000;
}
