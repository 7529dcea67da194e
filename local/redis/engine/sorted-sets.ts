import type { Reply } from "../reply";
import { CommandError, read, write, type CommandSpec, type Keyspace } from "./keyspace";
import { sliceInclusive } from "./lists";
import { formatDouble, parseDouble, parseInteger } from "./numbers";

type Scored = [member: string, score: number];
type Range = (entry: Scored) => boolean;

export const sortedSetCommands: Record<string, CommandSpec> = {
  ZADD: write(-4, (keyspace, [key = "", ...args]) => add(keyspace, key, args, new Set())),
  ZINCRBY: write(4, (keyspace, [key = "", ...args]) => add(keyspace, key, args, new Set(["INCR"]))),
  ZREM: write(-3, (keyspace, [key = "", ...members]) => {
    const scores = keyspace.get(key, "zset")?.scores;
    if (scores === undefined) return 0;
    const removed = members.filter((member) => scores.delete(member)).length;
    keyspace.deleteIfEmpty(key, scores.size);
    return removed;
  }),
  ZREMRANGEBYSCORE: write(4, (keyspace, [key = "", min = "", max = ""]) => {
    const isInRange = parseScoreRange(min, max);
    const scores = keyspace.get(key, "zset")?.scores;
    if (scores === undefined) return 0;
    const removed = [...scores].filter(isInRange);
    for (const [member] of removed) scores.delete(member);
    keyspace.deleteIfEmpty(key, scores.size);
    return removed.length;
  }),
  ZCARD: read(2, (keyspace, [key = ""]) => keyspace.get(key, "zset")?.scores.size ?? 0),
  ZSCORE: read(3, (keyspace, [key = "", member = ""]) => {
    const score = keyspace.get(key, "zset")?.scores.get(member);
    return score === undefined ? null : formatDouble(score);
  }),
  ZCOUNT: read(4, (keyspace, [key = "", min = "", max = ""]) => {
    const isInRange = parseScoreRange(min, max);
    return inOrder(keyspace, key).filter(isInRange).length;
  }),
  ZRANGE: read(-4, (keyspace, args) => range(keyspace, args)),
  ZRANGEBYSCORE: read(-4, (keyspace, args) => range(keyspace, args, "BYSCORE")),
};

function inOrder(keyspace: Keyspace, key: string): Scored[] {
  const entries = [...(keyspace.get(key, "zset")?.scores ?? [])];
  return entries.sort(
    ([leftMember, left], [rightMember, right]) => left - right || (leftMember < rightMember ? -1 : 1),
  );
}

function add(keyspace: Keyspace, key: string, args: string[], options: Set<string>): Reply {
  let first = 0;
  if (options.size === 0) {
    for (; ["NX", "XX", "GT", "LT", "CH", "INCR"].includes(args[first]?.toUpperCase() ?? ""); first++)
      options.add(args[first]?.toUpperCase() ?? "");
  }
  const pairs = args.slice(first);
  const has = (option: string): boolean => options.has(option);
  if (pairs.length === 0 || pairs.length % 2 !== 0) throw new CommandError("ERR syntax error");
  if (has("NX") && has("XX")) throw new CommandError("ERR XX and NX options at the same time are not compatible");
  if ((has("GT") && has("NX")) || (has("LT") && has("NX")) || (has("GT") && has("LT")))
    throw new CommandError("ERR GT, LT, and/or NX options at the same time are not compatible");
  if (has("INCR") && pairs.length > 2)
    throw new CommandError("ERR INCR option supports a single increment-element pair");

  const entries: Scored[] = [];
  for (let index = 0; index < pairs.length; index += 2)
    entries.push([pairs[index + 1] ?? "", parseDouble(pairs[index] ?? "")]);
  const present = keyspace.get(key, "zset");
  if (present === undefined && has("XX")) return has("INCR") ? null : 0;
  const scores = present?.scores ?? new Map<string, number>();

  let added = 0;
  let changed = 0;
  let result: number | null = null;
  for (const [member, given] of entries) {
    const current = scores.get(member);
    if (current === undefined ? has("XX") : has("NX")) continue;
    const score = has("INCR") && current !== undefined ? current + given : given;
    if (Number.isNaN(score)) throw new CommandError("ERR resulting score is not a number (NaN)");
    if (current !== undefined && ((has("GT") && score <= current) || (has("LT") && score >= current))) continue;
    if (current === undefined) added++;
    else if (current !== score) changed++;
    // Redis's compact form keeps whole scores as integers: it knows no -0.
    scores.set(member, score === 0 ? 0 : score);
    result = score;
  }
  if (present === undefined && scores.size > 0) keyspace.set(key, { type: "zset", scores });
  if (has("INCR")) return result === null ? null : formatDouble(result);
  return has("CH") ? added + changed : added;
}

type By = "BYRANK" | "BYSCORE" | "BYLEX";

/** ZRANGE; with `fixed`, the older command of that one kind, which takes neither REV nor another kind. */
function range(keyspace: Keyspace, args: string[], fixed?: By): Reply {
  const [key = "", start = "", stop = "", ...optionArgs] = args;
  const { by, isReversed, withScores, limit } = parseRangeOptions(optionArgs, fixed);
  const [low, high] = isReversed && by !== "BYRANK" ? [stop, start] : [start, stop];
  const select = parseSelection(by, low, high);
  const entries = inOrder(keyspace, key);
  if (isReversed) entries.reverse();
  const selected = by === "BYRANK" ? select(entries) : applyLimit(select(entries), limit);
  return selected.flatMap(([member, score]) => (withScores ? [member, formatDouble(score)] : [member]));
}

type RangeOptions = { by: By; isReversed: boolean; withScores: boolean; limit?: [bigint, bigint] };

function parseRangeOptions(args: string[], fixed: By | undefined): RangeOptions {
  const options: RangeOptions = { by: fixed ?? "BYRANK", isReversed: false, withScores: false };
  for (let index = 0; index < args.length; index++) {
    const option = args[index]?.toUpperCase() ?? "";
    const [offset, count] = [args[index + 1], args[index + 2]];
    if (option === "WITHSCORES") options.withScores = true;
    else if (option === "LIMIT" && offset !== undefined && count !== undefined) {
      options.limit = [parseInteger(offset), parseInteger(count)];
      index += 2;
    } else if (option === "REV" && fixed === undefined) options.isReversed = true;
    else if (
      (option === "BYSCORE" || option === "BYLEX") &&
      fixed === undefined &&
      ["BYRANK", option].includes(options.by)
    )
      options.by = option;
    else throw new CommandError("ERR syntax error");
  }
  // Redis takes a count of -1 for no LIMIT at all.
  if (options.by === "BYRANK" && options.limit !== undefined && options.limit[1] !== -1n)
    throw new CommandError("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
  if (options.by === "BYLEX" && options.withScores)
    throw new CommandError("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
  return options;
}

function parseSelection(by: By, low: string, high: string): (entries: Scored[]) => Scored[] {
  if (by === "BYRANK") {
    const bounds = [parseInteger(low), parseInteger(high)] as const;
    return (entries) => sliceInclusive(entries, ...bounds);
  }
  const isInRange = by === "BYSCORE" ? parseScoreRange(low, high) : parseLexRange(low, high);
  return (entries) => entries.filter(isInRange);
}

function applyLimit(entries: Scored[], limit: [bigint, bigint] | undefined): Scored[] {
  if (limit === undefined) return entries;
  const [offset, count] = limit;
  if (offset < 0n) return [];
  return entries.slice(Number(offset), count < 0n ? undefined : Number(offset + count));
}

function parseScoreRange(min: string, max: string): Range {
  const parse = (text: string): { score: number; isExclusive: boolean } => {
    const isExclusive = text.startsWith("(");
    // A C string: it ends at a zero byte, and nothing at all is read as 0.
    const number = (isExclusive ? text.slice(1) : text).replace(/\0[^]*$/, "");
    return { score: number === "" ? 0 : parseDouble(number, "ERR min or max is not a float"), isExclusive };
  };
  const [low, high] = [parse(min), parse(max)];
  return ([, score]) =>
    (low.isExclusive ? score > low.score : score >= low.score) &&
    (high.isExclusive ? score < high.score : score <= high.score);
}

function parseLexRange(min: string, max: string): Range {
  const isAbove = parseLexBound(min, 1);
  const isBelow = parseLexBound(max, -1);
  return ([member]) => isAbove(member) && isBelow(member);
}

/** Whether a member lies on the wanted side of the bound: above it for 1, below it for -1. */
function parseLexBound(text: string, side: 1 | -1): (member: string) => boolean {
  if (text === "-") return () => side === 1;
  if (text === "+") return () => side === -1;
  if (!/^[[(]/.test(text)) throw new CommandError("ERR min or max not valid string range item");
  const bound = text.slice(1);
  const compare = (member: string): number => (member < bound ? -1 : member > bound ? 1 : 0) * side;
  return text.startsWith("[") ? (member) => compare(member) >= 0 : (member) => compare(member) > 0;
}
