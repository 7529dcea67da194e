import type { Random } from "../../support/random";
import {
  KEYS_BY_TYPE,
  ALL_KEYS,
  LEX_KEY,
  INTEGERS,
  NOT_INTEGERS,
  DECIMALS,
  TEXTS,
  MEMBERS,
  SCORES,
  SCORE_BOUNDS,
  LEX_BOUNDS,
  INDEXES,
  PATTERNS,
  SHA_OF_NOTHING,
  FAR_MILLISECONDS,
} from "./vocabulary";

/** What `generate` yields: commands to run as one pipeline or as one transaction. */
export type Batch = { isTransaction: boolean; commands: string[][] };

type Generate = () => string[];

export type CommandGenerator = {
  /** The commands that it can make, in upper case. */
  commandNames: string[];
  scriptNames: string[];
  next(): Batch;
  /** The script that a command runs, by name; undefined for other commands. */
  scriptOf(command: readonly string[]): string | undefined;
};

export function createCommandGenerator(
  random: Random,
  scripts: Record<string, string>,
  shaOf: (script: string) => string,
): CommandGenerator {
  const { chance } = random;
  const below = (limit: number): number => random.between(0, limit);
  const pick = <Item>(items: readonly Item[]): Item => {
    const item = random.pick(items);
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  };
  const integer = (): string => (chance(0.9) ? pick(INTEGERS) : pick(NOT_INTEGERS));
  const smallInteger = (): string => (chance(0.85) ? String(below(20) - 5) : integer());
  const decimal = (): string => (chance(0.9) ? pick(DECIMALS) : pick([...NOT_INTEGERS, "nan", "inf"]));
  const text = (): string => (chance(0.3) ? integer() : chance(0.2) ? decimal() : pick(TEXTS));
  const some = <Item>(make: () => Item, most = 3): Item[] => Array.from({ length: 1 + below(most) }, make);
  const key = (type: keyof typeof KEYS_BY_TYPE): string => (chance(0.88) ? pick(KEYS_BY_TYPE[type]) : pick(ALL_KEYS));
  const anyKey = (): string => pick(ALL_KEYS);
  const member = (): string => pick(MEMBERS);
  const anyCase = (word: string): string =>
    chance(0.5) ? word : chance(0.5) ? word.toLowerCase() : word.charAt(0) + word.slice(1).toLowerCase();
  const maybe = (probability: number, make: () => string[]): string[] => (chance(probability) ? make() : []);

  /** Few, so that one expiry often meets another. */
  const expiringKey = (): string => (chance(0.8) ? pick(["s1", "h1"]) : anyKey());

  const relativeSeconds = (): string =>
    chance(0.9)
      ? String(1000 + below(100_000_000))
      : pick(["0", "-1", "9223372036854775807", "9223372036854775", ...NOT_INTEGERS]);
  const relativeMilliseconds = (): string =>
    chance(0.9) ? String(1_000_000 + below(2_000_000_000)) : pick(["0", "-1", "9223372036854775807", ...NOT_INTEGERS]);
  const absoluteMilliseconds = (): string =>
    chance(0.85)
      ? String(FAR_MILLISECONDS + below(2) * 500)
      : pick(["1", "1500000000000", "0", "-5", "9223372036854775807", ...NOT_INTEGERS]);
  const absoluteSeconds = (): string =>
    chance(0.85)
      ? String(FAR_MILLISECONDS / 1000 + below(2))
      : pick(["1", "1500000000", "0", "-5", "9223372036854775807", ...NOT_INTEGERS]);
  const expiryOption = (): string[] =>
    pick([
      () => [anyCase("EX"), relativeSeconds()],
      () => [anyCase("PX"), relativeMilliseconds()],
      () => [anyCase("EXAT"), absoluteSeconds()],
      () => [anyCase("PXAT"), absoluteMilliseconds()],
    ])();
  const expireFlags = (): string[] =>
    maybe(0.5, () =>
      some(() => anyCase(pick(["NX", "XX", "GT", "LT", "gt", "lt", "gt", "lt", "nope"])), chance(0.7) ? 1 : 2),
    );
  const pairs = (make: () => string[]): string[] => some(make).flat();
  const limit = (): string[] => [anyCase("LIMIT"), smallInteger(), smallInteger()];

  const zaddOption = (): string => anyCase(pick(["NX", "XX", "GT", "LT", "CH", "INCR"]));

  const plain: Record<string, Generate> = {
    GET: () => [key("string")],
    SET: () => [
      key("string"),
      text(),
      ...maybe(0.5, () =>
        some(
          () =>
            pick([
              () => ["NX"],
              () => ["xx"],
              () => ["Get"],
              () => ["KEEPTTL"],
              () => ["keepttl"],
              expiryOption,
              expiryOption,
            ])(),
          3,
        ).flat(),
      ),
    ],
    SETEX: () => [key("string"), relativeSeconds(), text()],
    PSETEX: () => [key("string"), relativeMilliseconds(), text()],
    SETNX: () => [key("string"), text()],
    GETSET: () => [key("string"), text()],
    GETDEL: () => [key("string")],
    GETEX: () => [
      key("string"),
      ...maybe(0.7, () =>
        pick([expiryOption, () => [anyCase("PERSIST")], () => [...expiryOption(), "PERSIST"], () => ["KEEPTTL"]])(),
      ),
    ],
    MGET: () => some(anyKey, 4),
    MSET: () => pairs(() => [key("string"), text()]),
    MSETNX: () => pairs(() => [key("string"), text()]),
    APPEND: () => [pick(["s1", "s2", "missing1", "h1"]), pick(TEXTS)],
    STRLEN: () => [key("string")],
    INCR: () => [key("string")],
    DECR: () => [key("string")],
    INCRBY: () => [key("string"), integer()],
    DECRBY: () => [key("string"), integer()],
    INCRBYFLOAT: () => [chance(0.8) ? "f1" : key("string"), decimal()],
    DEL: () => some(anyKey, 2),
    UNLINK: () => some(anyKey, 2),
    EXISTS: () => some(anyKey, 4),
    TOUCH: () => some(anyKey, 4),
    EXPIRE: () => [expiringKey(), relativeSeconds(), ...expireFlags()],
    PEXPIRE: () => [expiringKey(), relativeMilliseconds(), ...expireFlags()],
    EXPIREAT: () => [expiringKey(), absoluteSeconds(), ...expireFlags()],
    PEXPIREAT: () => [expiringKey(), absoluteMilliseconds(), ...expireFlags()],
    TTL: () => [anyKey()],
    PTTL: () => [anyKey()],
    EXPIRETIME: () => [anyKey()],
    PEXPIRETIME: () => [anyKey()],
    PERSIST: () => [anyKey()],
    TYPE: () => [anyKey()],
    KEYS: () => [pick(PATTERNS)],
    SCAN: () => [
      chance(0.9) ? "0" : pick(["abc", "-", "", "1.5"]),
      ...maybe(0.7, () => [anyCase("MATCH"), pick(PATTERNS)]),
      anyCase("COUNT"),
      chance(0.95) ? "1000" : pick(["0", "-1", "abc"]),
      ...maybe(0.3, () => [anyCase("TYPE"), pick(["string", "hash", "ZSET", "list", "nope"])]),
      ...maybe(0.03, () => ["NOPE"]),
    ],
    RENAME: () => [anyKey(), anyKey()],
    DBSIZE: () => [],
    FLUSHDB: () => maybe(0.3, () => [pick(["ASYNC", "sync", "nope"])]),
    FLUSHALL: () => maybe(0.3, () => [pick(["ASYNC", "sync", "nope"])]),
    HSET: () => [key("hash"), ...pairs(() => [member(), text()])],
    HMSET: () => [key("hash"), ...pairs(() => [member(), text()])],
    HSETNX: () => [key("hash"), member(), text()],
    HGET: () => [key("hash"), member()],
    HMGET: () => [key("hash"), ...some(member)],
    HGETALL: () => [key("hash")],
    HKEYS: () => [key("hash")],
    HVALS: () => [key("hash")],
    HLEN: () => [key("hash")],
    HEXISTS: () => [key("hash"), member()],
    HDEL: () => [key("hash"), ...some(member)],
    HINCRBY: () => [key("hash"), member(), integer()],
    LPUSH: () => [key("list"), ...some(text)],
    RPUSH: () => [key("list"), ...some(text)],
    LPOP: () => [key("list"), ...maybe(0.4, () => [smallInteger()])],
    RPOP: () => [key("list"), ...maybe(0.4, () => [smallInteger()])],
    LLEN: () => [key("list")],
    LRANGE: () => [key("list"), pick(INDEXES), pick(INDEXES)],
    SADD: () => [key("set"), ...some(member)],
    SREM: () => [key("set"), ...some(member)],
    SMEMBERS: () => [key("set")],
    SISMEMBER: () => [key("set"), member()],
    SMISMEMBER: () => [key("set"), ...some(member)],
    SCARD: () => [key("set")],
    ZADD: () =>
      pick([
        () => [LEX_KEY, ...pairs(() => ["0", member()])],
        () => [key("zset"), anyCase(pick(["GT", "LT"])), "INCR", pick(["0", "1", "-1"]), pick(["a", "b"])],
        () => [key("zset"), ...some(zaddOption), ...pairs(() => [pick(SCORES), member()])],
        () => [key("zset"), ...pairs(() => [pick(SCORES), member()])],
      ])(),
    ZINCRBY: () => [key("zset"), pick(SCORES), member()],
    ZREM: () => [key("zset"), ...some(member)],
    ZREMRANGEBYSCORE: () => [key("zset"), pick(SCORE_BOUNDS), pick(SCORE_BOUNDS)],
    ZCARD: () => [key("zset")],
    ZSCORE: () => [key("zset"), member()],
    ZCOUNT: () => [key("zset"), pick(SCORE_BOUNDS), pick(SCORE_BOUNDS)],
    ZRANGE: () => [
      ...pick([
        () => [key("zset"), pick(INDEXES), pick(INDEXES)],
        () => [key("zset"), pick(SCORE_BOUNDS), pick(SCORE_BOUNDS), anyCase("BYSCORE")],
        () => [pick([LEX_KEY, LEX_KEY, "never"]), pick(LEX_BOUNDS), pick(LEX_BOUNDS), anyCase("BYLEX")],
      ])(),
      ...maybe(0.4, () => [anyCase("REV")]),
      ...maybe(0.4, () => [anyCase("WITHSCORES")]),
      ...maybe(0.3, limit),
    ],
    ZRANGEBYSCORE: () => [
      key("zset"),
      pick(SCORE_BOUNDS),
      pick(SCORE_BOUNDS),
      ...maybe(0.4, () => [anyCase("WITHSCORES")]),
      ...maybe(0.3, limit),
      ...maybe(0.03, () => ["REV"]),
    ],
    PING: () => maybe(0.5, () => [text()]),
    ECHO: () => [text()],
  };

  const scriptNames = Object.keys(scripts);
  const scriptSource = (): string => scripts[pick(scriptNames)] ?? "";
  const scriptArguments = (): string[] => {
    const keys = some(() => pick(["s1", "s2", "n1", "h1", "missing1"]), 2);
    const count = chance(0.97) ? String(keys.length) : pick(["-1", "99", "abc", "0"]);
    return [count, ...keys, ...(chance(0.75) ? embedded() : some(text, 4))];
  };
  const scripted: Record<string, Generate> = {
    EVAL: () => [scriptSource(), ...scriptArguments()],
    EVAL_RO: () => [scriptSource(), ...scriptArguments()],
    EVALSHA: () => [
      chance(0.9) ? anyCase(shaOf(scriptSource())) : pick([SHA_OF_NOTHING, "abc", ""]),
      ...scriptArguments(),
    ],
    EVALSHA_RO: () => [chance(0.9) ? shaOf(scriptSource()) : SHA_OF_NOTHING, ...scriptArguments()],
    SCRIPT: () =>
      pick([
        () => [anyCase("LOAD"), scriptSource()],
        () => [anyCase("LOAD"), scriptSource()],
        () => [anyCase("EXISTS"), ...some(() => (chance(0.8) ? shaOf(scriptSource()) : SHA_OF_NOTHING))],
        () => [anyCase("FLUSH"), ...maybe(0.5, () => [pick(["SYNC", "async", "nope"])])],
        () => ["nope"],
      ])(),
  };

  const all = { ...plain, ...scripted };
  const names = Object.keys(all);
  // Emptying everything often would leave nothing to differ on; scripts are the larger half of what clients send.
  const weighted = [
    ...names.filter((name) => !name.startsWith("FLUSH")),
    ...Array.from({ length: 10 }, () => ["EVAL", "EVALSHA"]).flat(),
  ];

  function make(name: string): string[] {
    const command = [anyCase(name), ...(all[name]?.() ?? [])];
    if (chance(0.015)) command.pop();
    if (chance(0.01)) command.push(text());
    return command.length === 0 ? [name] : command;
  }

  /** A command for a script to run; DBSIZE counts expired keys that nobody touched, which only `next` prepares for. */
  function embedded(): string[] {
    return make(pick(Object.keys(plain).filter((name) => name !== "DBSIZE" && !name.startsWith("FLUSH"))));
  }

  function one(): string[][] {
    const name = chance(0.004) ? pick(["FLUSHDB", "FLUSHALL"]) : pick(weighted);
    if (chance(0.01))
      return [[pick(["NOPE", "geet", "a\nb", "x\0y", "N".repeat(140)]), ...maybe(0.8, () => some(text, 4))]];
    if (name === "DBSIZE") return [["EXISTS", ...ALL_KEYS], make(name)];
    const command = make(name);
    const [, first = ""] = command;
    return chance(0.3) && ALL_KEYS.includes(first) ? [command, ["PEXPIRETIME", first]] : [command];
  }

  return {
    commandNames: names,
    scriptNames,
    next() {
      const isTransaction = chance(0.2);
      const length = isTransaction ? 1 + below(4) : 60;
      return { isTransaction, commands: Array.from({ length }, one).flat() };
    },
    scriptOf(command) {
      const source = command[1] ?? "";
      switch (command[0]?.toUpperCase()) {
        case "EVAL":
        case "EVAL_RO":
          return scriptNames.find((name) => scripts[name] === source);
        case "EVALSHA":
        case "EVALSHA_RO":
          return scriptNames.find((name) => shaOf(scripts[name] ?? "") === source.toLowerCase());
        default:
          return undefined;
      }
    },
  };
}
