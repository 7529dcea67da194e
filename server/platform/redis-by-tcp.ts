import { createHash } from "node:crypto";

import type { Logger } from "./logger";
import type { LimiterClient, RedisBudgets, RedisClient, RedisClients, ScriptCall } from "./redis";
import { createRedisConnection, type RedisAddress, type RedisConnection, RedisReplyError } from "./redis-connection";

/**
 * Clients of the Redis leader, over connections that are kept open. Purges have one of their own: a read that finds its connection dead
 * closes it, and must not take a purge along.
 */
export function createTcpClients(address: RedisAddress, budgets: RedisBudgets, logger: Logger): RedisClients {
  const slot = createRedisConnection({ address, budgetMilliseconds: budgets.slotMilliseconds, logger });
  const purge = createRedisConnection({
    address,
    budgetMilliseconds: budgets.purgeMilliseconds,
    alwaysTries: true,
    logger,
  });
  return {
    slot: toRedisClient(slot),
    purge: toRedisClient(purge),
    limiter: toLimiterClient(slot),
    close() {
      slot.close();
      purge.close();
    },
  };
}

function toRedisClient(connection: RedisConnection): RedisClient {
  const run = createRun(connection);
  return {
    evaluate: (script, call) => run(toScript(asLeader + script), call),
    async evaluateEach(script, calls) {
      const known = toScript(asLeader + script);
      const outcomes = await Promise.allSettled(calls.map((call) => run(known, call)));
      return outcomes.map((outcome) => {
        if (outcome.status === "fulfilled") return { result: outcome.value };
        if (outcome.reason instanceof RedisReplyError) return { error: outcome.reason.code };
        throw outcome.reason;
      });
    },
    forManyCallers(script) {
      const known = toScript(asLeader + script);
      return (call) => run(known, call);
    },
    info: async (section) => String(await connection.send(["INFO", section])),
  };
}

interface Script {
  text: string;
  sha: string;
}

const scripts = new Map<string, Script>();

function toScript(text: string): Script {
  const script = scripts.get(text) ?? { text, sha: createHash("sha1").update(text).digest("hex") };
  scripts.set(text, script);
  return script;
}

/**
 * A write that changes nothing, whether there is a value or not. A server that would refuse a purge refuses this write, and then the script ends.
 * Without it a replica answers hits, and a connection that is kept open may lead to one that was the leader before.
 *
 * A full leader refuses this write too, and a key of another type does not take it. Both must still be purged, so the script goes on. It is a
 * write that a full Redis refuses for a reason: after one that it takes, a script may store whatever it likes.
 */
const asLeader = `if KEYS[1] then
  local written = redis.pcall('SETRANGE', KEYS[1], 0, '')
  local code = type(written) == 'table' and string.match(written.err, '%u+')
  if code and code ~= 'OOM' and code ~= 'WRONGTYPE' then return { err = code .. ' this Redis takes no writes' } end
end
`;

/** Runs a script by its hash, and by its text where the server does not know it, as after a restart. */
function createRun(connection: RedisConnection) {
  return ({ text, sha }: Script, { keys, args }: ScriptCall): Promise<unknown> =>
    connection.send(["EVALSHA", sha, String(keys.length), ...keys, ...args], text);
}

/** The first line of the library's scripts. Only Upstash knows the flag in it, and every other Redis refuses the script. */
const upstashFlag = "#!lua flags=allow-key-locking\n";

/** The library knows the hashes of its scripts with their first line, so their texts are kept by these. */
function toLimiterClient(connection: RedisConnection): LimiterClient {
  const run = createRun(connection);
  const texts = new Map<string, string>();
  const evaluate = (text: string, keys: string[], args: unknown[]) => {
    const plain = text.startsWith(upstashFlag) ? text.slice(upstashFlag.length) : text;
    return run(toScript(plain), { keys, args: args.map(String) });
  };
  return {
    evalsha(sha, keys, args) {
      const text = texts.get(sha);
      // The library then calls `eval`. Nothing was sent.
      return text === undefined ? Promise.reject(new RedisReplyError("NOSCRIPT")) : evaluate(text, keys, args);
    },
    eval(text, keys, args) {
      texts.set(toScript(text).sha, text);
      return evaluate(text, keys, args);
    },
  };
}
