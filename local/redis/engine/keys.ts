import { OK, Status, toInteger, type Reply } from "../reply";
import { invalidExpiry } from "./expiry";
import { matchesGlob } from "./glob";
import { CommandError, read, write, type CommandSpec, type Keyspace } from "./keyspace";
import { isInteger64, parseInteger } from "./numbers";

export const keyCommands: Record<string, CommandSpec> = {
  DEL: write(-2, (keyspace, keys) => count(keys, (key) => keyspace.delete(key))),
  UNLINK: write(-2, (keyspace, keys) => count(keys, (key) => keyspace.delete(key))),
  EXISTS: read(-2, (keyspace, keys) => count(keys, (key) => keyspace.find(key) !== undefined)),
  TOUCH: read(-2, (keyspace, keys) => count(keys, (key) => keyspace.find(key) !== undefined)),
  EXPIRE: write(-3, (keyspace, args) => expire(keyspace, args, 1000n, true, "expire")),
  PEXPIRE: write(-3, (keyspace, args) => expire(keyspace, args, 1n, true, "pexpire")),
  EXPIREAT: write(-3, (keyspace, args) => expire(keyspace, args, 1000n, false, "expireat")),
  PEXPIREAT: write(-3, (keyspace, args) => expire(keyspace, args, 1n, false, "pexpireat")),
  TTL: read(2, (keyspace, [key = ""]) => remaining(keyspace, key, (at, now) => (max0(at - now) + 500n) / 1000n)),
  PTTL: read(2, (keyspace, [key = ""]) => remaining(keyspace, key, (at, now) => max0(at - now))),
  EXPIRETIME: read(2, (keyspace, [key = ""]) => remaining(keyspace, key, (at) => (at + 500n) / 1000n)),
  PEXPIRETIME: read(2, (keyspace, [key = ""]) => remaining(keyspace, key, (at) => at)),
  PERSIST: write(2, (keyspace, [key = ""]) => {
    if ((keyspace.find(key)?.expiresAt ?? null) === null) return 0;
    keyspace.expireAt(key, null);
    return 1;
  }),
  TYPE: read(2, (keyspace, [key = ""]) => new Status(keyspace.find(key)?.value.type ?? "none")),
  KEYS: read(2, (keyspace, [pattern = ""]) => keyspace.keys().filter((key) => matchesGlob(pattern, key))),
  SCAN: read(-2, scan),
  RENAME: write(3, (keyspace, [from = "", to = ""]) => {
    if (!keyspace.rename(from, to)) throw new CommandError("ERR no such key");
    return OK;
  }),
  RANDOMKEY: read(1, (keyspace) => {
    const keys = keyspace.keys();
    return keys[Math.floor(Math.random() * keys.length)] ?? null;
  }),
  DBSIZE: read(1, (keyspace) => keyspace.keys().length),
  FLUSHDB: write(-1, flush),
  FLUSHALL: write(-1, flush),
};

function count(keys: string[], matches: (key: string) => boolean): number {
  return keys.filter(matches).length;
}

function max0(value: bigint): bigint {
  return value > 0n ? value : 0n;
}

function remaining(keyspace: Keyspace, key: string, show: (expiresAt: bigint, now: bigint) => bigint): Reply {
  const entry = keyspace.find(key);
  if (entry === undefined) return -2;
  return entry.expiresAt === null ? -1 : toInteger(show(entry.expiresAt, BigInt(keyspace.now())));
}

function expire(keyspace: Keyspace, args: string[], unit: bigint, isRelative: boolean, command: string): Reply {
  const [key = "", time = "", ...optionArgs] = args;
  const options = parseExpireOptions(optionArgs);
  const milliseconds = parseInteger(time) * unit;
  const now = BigInt(keyspace.now());
  const expiresAt = isRelative ? milliseconds + now : milliseconds;
  if (!isInteger64(milliseconds) || !isInteger64(expiresAt)) throw invalidExpiry(command);

  const entry = keyspace.find(key);
  if (entry === undefined) return 0;
  const current = entry.expiresAt;
  if (options.has("NX") && current !== null) return 0;
  if (options.has("XX") && current === null) return 0;
  if (options.has("GT") && (current === null || expiresAt <= current)) return 0;
  if (options.has("LT") && current !== null && expiresAt >= current) return 0;
  if (expiresAt <= now) keyspace.delete(key);
  else entry.expiresAt = expiresAt;
  return 1;
}

function parseExpireOptions(args: string[]): Set<string> {
  const options = new Set<string>();
  for (const argument of args) {
    const option = argument.toUpperCase();
    if (!["NX", "XX", "GT", "LT"].includes(option)) throw new CommandError(`ERR Unsupported option ${argument}`);
    options.add(option);
  }
  if (options.has("NX") && options.size > 1)
    throw new CommandError("ERR NX and XX, GT or LT options at the same time are not compatible");
  if (options.has("GT") && options.has("LT"))
    throw new CommandError("ERR GT and LT options at the same time are not compatible");
  return options;
}

/** Everything in one round: Redis promises no more of COUNT than that it is a hint. */
function scan(keyspace: Keyspace, [cursor = "", ...args]: string[]): Reply {
  if (!/^([+-]?\d{1,19})?$/.test(cursor)) throw new CommandError("ERR invalid cursor");
  let pattern = "*";
  let type: string | undefined;
  for (let index = 0; index < args.length; index += 2) {
    const value = args[index + 1];
    const option = args[index]?.toUpperCase();
    if (value === undefined) throw new CommandError("ERR syntax error");
    if (option === "COUNT") {
      if (parseInteger(value) < 1n) throw new CommandError("ERR syntax error");
    } else if (option === "MATCH") pattern = value;
    else if (option === "TYPE") type = value.toLowerCase();
    else throw new CommandError("ERR syntax error");
  }
  if (Number(cursor) !== 0) return ["0", []];
  const matches = (key: string): boolean =>
    matchesGlob(pattern, key) && [undefined, keyspace.find(key)?.value.type].includes(type as never);
  return ["0", keyspace.keys().filter(matches)];
}

function flush(keyspace: Keyspace, args: string[]): Reply {
  const [mode = "SYNC"] = args;
  if (args.length > 1 || !["SYNC", "ASYNC"].includes(mode.toUpperCase())) throw new CommandError("ERR syntax error");
  keyspace.clear();
  return OK;
}
