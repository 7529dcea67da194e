import type { Reply } from "../reply";
import { CommandError, read, write, type CommandSpec, type Keyspace } from "./keyspace";
import { parseInteger } from "./numbers";

export const listCommands: Record<string, CommandSpec> = {
  LPUSH: write(-3, (keyspace, [key = "", ...values]) => itemsToWrite(keyspace, key).unshift(...values.reverse())),
  RPUSH: write(-3, (keyspace, [key = "", ...values]) => itemsToWrite(keyspace, key).push(...values)),
  LPOP: write(-2, (keyspace, args) => pop(keyspace, args, "lpop", (items, count) => items.splice(0, count))),
  RPOP: write(-2, (keyspace, args) =>
    pop(keyspace, args, "rpop", (items, count) => items.splice(Math.max(items.length - count, 0)).reverse()),
  ),
  LLEN: read(2, (keyspace, [key = ""]) => keyspace.get(key, "list")?.items.length ?? 0),
  LRANGE: read(4, (keyspace, [key = "", start = "", stop = ""]) => {
    const bounds = [parseInteger(start), parseInteger(stop)] as const;
    return sliceInclusive(keyspace.get(key, "list")?.items ?? [], ...bounds);
  }),
};

function itemsToWrite(keyspace: Keyspace, key: string): string[] {
  return keyspace.getOrCreate(key, "list", () => ({ type: "list", items: [] })).items;
}

function pop(
  keyspace: Keyspace,
  args: string[],
  command: string,
  take: (items: string[], count: number) => string[],
): Reply {
  const [key = "", countText] = args;
  if (args.length > 2) throw new CommandError(`ERR wrong number of arguments for '${command}' command`);
  const count = countText === undefined ? null : parseCount(countText);
  const items = keyspace.get(key, "list")?.items;
  if (items === undefined) return null;
  const taken = take(items, count ?? 1);
  keyspace.deleteIfEmpty(key, items.length);
  return count === null ? (taken[0] ?? null) : taken;
}

function parseCount(text: string): number {
  const message = "ERR value is out of range, must be positive";
  const count = parseInteger(text, message);
  if (count < 0n) throw new CommandError(message);
  return Number(count);
}

/** Redis's index range: both ends included, negative ones counted from the end. */
export function sliceInclusive<Item>(items: readonly Item[], start: bigint, stop: bigint): Item[] {
  const length = BigInt(items.length);
  const from = start < 0n ? start + length : start;
  const to = (stop < 0n ? stop + length : stop) + 1n;
  return to <= 0n ? [] : items.slice(Number(from < 0n ? 0n : from), Number(to));
}
