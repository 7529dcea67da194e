import { OK, toInteger, type Reply } from "../reply";
import { isExpiryUnit, parseExpiry, type ExpiryUnit } from "./expiry";
import { CommandError, read, write, type CommandSpec, type Keyspace } from "./keyspace";
import { addLongDoubles, isInteger64, parseInteger } from "./numbers";

const syntaxError = (): CommandError => new CommandError("ERR syntax error");

export const stringCommands: Record<string, CommandSpec> = {
  GET: read(2, (keyspace, [key = ""]) => keyspace.get(key, "string")?.bytes ?? null),
  SET: write(-3, set),
  SETEX: write(4, (keyspace, [key = "", time = "", value = ""]) => setFor(keyspace, key, "EX", time, value, "setex")),
  PSETEX: write(4, (keyspace, [key = "", time = "", value = ""]) => setFor(keyspace, key, "PX", time, value, "psetex")),
  SETNX: write(3, (keyspace, [key = "", value = ""]) => {
    if (keyspace.find(key) !== undefined) return 0;
    keyspace.set(key, { type: "string", bytes: value });
    return 1;
  }),
  GETSET: write(3, (keyspace, [key = "", value = ""]) => {
    const old = keyspace.get(key, "string")?.bytes ?? null;
    keyspace.set(key, { type: "string", bytes: value });
    return old;
  }),
  GETDEL: write(2, (keyspace, [key = ""]) => {
    const old = keyspace.get(key, "string")?.bytes ?? null;
    keyspace.delete(key);
    return old;
  }),
  GETEX: write(-2, getex),
  MGET: read(-2, (keyspace, keys) =>
    keys.map((key) => {
      const value = keyspace.find(key)?.value;
      return value?.type === "string" ? value.bytes : null;
    }),
  ),
  MSET: write(-3, (keyspace, args) => {
    for (const [key, value] of toPairs(args, "mset")) keyspace.set(key, { type: "string", bytes: value });
    return OK;
  }),
  MSETNX: write(-3, (keyspace, args) => {
    const pairs = toPairs(args, "msetnx");
    if (pairs.some(([key]) => keyspace.find(key) !== undefined)) return 0;
    for (const [key, value] of pairs) keyspace.set(key, { type: "string", bytes: value });
    return 1;
  }),
  APPEND: write(3, (keyspace, [key = "", tail = ""]) => {
    const bytes = (keyspace.get(key, "string")?.bytes ?? "") + tail;
    keyspace.replaceString(key, bytes);
    return bytes.length;
  }),
  STRLEN: read(2, (keyspace, [key = ""]) => keyspace.get(key, "string")?.bytes.length ?? 0),
  INCR: write(2, (keyspace, [key = ""]) => increment(keyspace, key, 1n)),
  DECR: write(2, (keyspace, [key = ""]) => increment(keyspace, key, -1n)),
  INCRBY: write(3, (keyspace, [key = "", by = ""]) => increment(keyspace, key, parseInteger(by))),
  DECRBY: write(3, (keyspace, [key = "", by = ""]) => {
    const decrement = parseInteger(by);
    if (!isInteger64(-decrement)) throw new CommandError("ERR decrement would overflow");
    return increment(keyspace, key, -decrement);
  }),
  INCRBYFLOAT: write(3, (keyspace, [key = "", by = ""]) => {
    const sum = addLongDoubles(keyspace.get(key, "string")?.bytes ?? "0", by);
    keyspace.replaceString(key, sum);
    return sum;
  }),
};

type SetOptions = { condition?: "NX" | "XX"; returnsOld: boolean; keepsTtl: boolean; expiry?: [ExpiryUnit, string] };

function set(keyspace: Keyspace, [key = "", value = "", ...optionArgs]: string[]): Reply {
  const options = parseSetOptions(optionArgs);
  const expiresAt = options.expiry === undefined ? null : parseExpiry(keyspace, ...options.expiry, "set");
  const old = options.returnsOld ? (keyspace.get(key, "string")?.bytes ?? null) : null;
  const exists = keyspace.find(key) !== undefined;
  if (options.condition !== undefined && exists !== (options.condition === "XX")) return old;
  if (options.keepsTtl) keyspace.replaceString(key, value);
  else keyspace.set(key, { type: "string", bytes: value });
  if (expiresAt !== null) keyspace.expireAt(key, expiresAt);
  return options.returnsOld ? old : OK;
}

function parseSetOptions(args: string[]): SetOptions {
  const options: SetOptions = { returnsOld: false, keepsTtl: false };
  for (let index = 0; index < args.length; index++) {
    const option = args[index]?.toUpperCase() ?? "";
    const value = args[index + 1];
    if ((option === "NX" || option === "XX") && [undefined, option].includes(options.condition))
      options.condition = option;
    else if (option === "GET") options.returnsOld = true;
    else if (option === "KEEPTTL" && options.expiry === undefined) options.keepsTtl = true;
    else if (
      isExpiryUnit(option) &&
      value !== undefined &&
      !options.keepsTtl &&
      (options.expiry?.[0] ?? option) === option
    ) {
      options.expiry = [option, value];
      index++;
    } else throw syntaxError();
  }
  return options;
}

function setFor(
  keyspace: Keyspace,
  key: string,
  unit: ExpiryUnit,
  time: string,
  value: string,
  command: string,
): Reply {
  const expiresAt = parseExpiry(keyspace, unit, time, command);
  keyspace.set(key, { type: "string", bytes: value });
  keyspace.expireAt(key, expiresAt);
  return OK;
}

function getex(keyspace: Keyspace, [key = "", ...args]: string[]): Reply {
  let persists = false;
  let expiry: [ExpiryUnit, string] | undefined;
  for (let index = 0; index < args.length; index++) {
    const option = args[index]?.toUpperCase() ?? "";
    const value = args[index + 1];
    if (option === "PERSIST" && expiry === undefined) persists = true;
    else if (isExpiryUnit(option) && value !== undefined && !persists && (expiry?.[0] ?? option) === option) {
      expiry = [option, value];
      index++;
    } else throw syntaxError();
  }
  const value = keyspace.get(key, "string");
  if (value === undefined) return null;
  const expiresAt = expiry === undefined ? null : parseExpiry(keyspace, ...expiry, "getex");
  if (expiresAt !== null && expiresAt <= BigInt(keyspace.now())) keyspace.delete(key);
  else if (expiresAt !== null || persists) keyspace.expireAt(key, expiresAt);
  return value.bytes;
}

function increment(keyspace: Keyspace, key: string, by: bigint): Reply {
  const sum = parseInteger(keyspace.get(key, "string")?.bytes ?? "0") + by;
  if (!isInteger64(sum)) throw new CommandError("ERR increment or decrement would overflow");
  keyspace.replaceString(key, String(sum));
  return toInteger(sum);
}

/** Arguments in twos; an odd number is the command's arity error. */
export function toPairs(args: string[], command: string): [string, string][] {
  if (args.length % 2 !== 0) throw new CommandError(`ERR wrong number of arguments for '${command}' command`);
  const pairs: [string, string][] = [];
  for (let index = 0; index < args.length; index += 2) pairs.push([args[index] ?? "", args[index + 1] ?? ""]);
  return pairs;
}
