import { read, write, type CommandSpec, type Keyspace } from "./keyspace";

export const setCommands: Record<string, CommandSpec> = {
  SADD: write(-3, (keyspace, [key = "", ...added]) => {
    const { members } = keyspace.getOrCreate(key, "set", () => ({ type: "set", members: new Set<string>() }));
    const before = members.size;
    for (const member of added) members.add(member);
    return members.size - before;
  }),
  SREM: write(-3, (keyspace, [key = "", ...removed]) => {
    const members = keyspace.get(key, "set")?.members;
    if (members === undefined) return 0;
    const count = removed.filter((member) => members.delete(member)).length;
    keyspace.deleteIfEmpty(key, members.size);
    return count;
  }),
  SMEMBERS: read(2, (keyspace, [key = ""]) => [...membersOf(keyspace, key)]),
  SISMEMBER: read(3, (keyspace, [key = "", member = ""]) => (membersOf(keyspace, key).has(member) ? 1 : 0)),
  SMISMEMBER: read(-3, (keyspace, [key = "", ...asked]) => {
    const members = membersOf(keyspace, key);
    return asked.map((member) => (members.has(member) ? 1 : 0));
  }),
  SCARD: read(2, (keyspace, [key = ""]) => membersOf(keyspace, key).size),
};

function membersOf(keyspace: Keyspace, key: string): ReadonlySet<string> {
  return keyspace.get(key, "set")?.members ?? new Set<string>();
}
