import { OK, toInteger } from "../reply";
import { CommandError, read, write, type CommandSpec, type Keyspace } from "./keyspace";
import { isInteger64, parseInteger } from "./numbers";
import { toPairs } from "./strings";

export const hashCommands: Record<string, CommandSpec> = {
  HSET: write(-4, (keyspace, [key = "", ...args]) => setFields(keyspace, key, toPairs(args, "hset"))),
  HMSET: write(-4, (keyspace, [key = "", ...args]) => {
    setFields(keyspace, key, toPairs(args, "hmset"));
    return OK;
  }),
  HSETNX: write(4, (keyspace, [key = "", field = "", value = ""]) =>
    fieldsOf(keyspace, key).has(field) ? 0 : setFields(keyspace, key, [[field, value]]),
  ),
  HGET: read(3, (keyspace, [key = "", field = ""]) => fieldsOf(keyspace, key).get(field) ?? null),
  HMGET: read(-3, (keyspace, [key = "", ...fields]) => {
    const present = fieldsOf(keyspace, key);
    return fields.map((field) => present.get(field) ?? null);
  }),
  HGETALL: read(2, (keyspace, [key = ""]) => [...fieldsOf(keyspace, key)].flat()),
  HKEYS: read(2, (keyspace, [key = ""]) => [...fieldsOf(keyspace, key).keys()]),
  HVALS: read(2, (keyspace, [key = ""]) => [...fieldsOf(keyspace, key).values()]),
  HLEN: read(2, (keyspace, [key = ""]) => fieldsOf(keyspace, key).size),
  HEXISTS: read(3, (keyspace, [key = "", field = ""]) => (fieldsOf(keyspace, key).has(field) ? 1 : 0)),
  HDEL: write(-3, (keyspace, [key = "", ...fields]) => {
    const present = keyspace.get(key, "hash")?.fields;
    if (present === undefined) return 0;
    const deleted = fields.filter((field) => present.delete(field)).length;
    keyspace.deleteIfEmpty(key, present.size);
    return deleted;
  }),
  HINCRBY: write(4, (keyspace, [key = "", field = "", by = ""]) => {
    const increment = parseInteger(by);
    const sum = parseInteger(fieldsOf(keyspace, key).get(field) ?? "0", "ERR hash value is not an integer") + increment;
    if (!isInteger64(sum)) throw new CommandError("ERR increment or decrement would overflow");
    setFields(keyspace, key, [[field, String(sum)]]);
    return toInteger(sum);
  }),
};

function fieldsOf(keyspace: Keyspace, key: string): ReadonlyMap<string, string> {
  return keyspace.get(key, "hash")?.fields ?? new Map<string, string>();
}

/** The number of fields that are new. */
function setFields(keyspace: Keyspace, key: string, pairs: [string, string][]): number {
  const { fields } = keyspace.getOrCreate(key, "hash", () => ({ type: "hash", fields: new Map<string, string>() }));
  const before = fields.size;
  for (const [field, value] of pairs) fields.set(field, value);
  return fields.size - before;
}
