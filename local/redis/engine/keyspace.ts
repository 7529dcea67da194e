import { ErrorReply, toLine, type Reply } from "../reply";

export type Value =
  | { type: "string"; bytes: string }
  | { type: "hash"; fields: Map<string, string> }
  | { type: "list"; items: string[] }
  | { type: "set"; members: Set<string> }
  | { type: "zset"; scores: Map<string, number> };

type ValueOf<Type extends Value["type"]> = Extract<Value, { type: Type }>;
/** `expiresAt` in milliseconds since 1970. A bigint, since Redis takes any 64-bit time. */
type Entry = { value: Value; expiresAt: bigint | null };

/** Thrown by a command, answered as its error reply. */
export class CommandError extends Error {
  get reply(): ErrorReply {
    return new ErrorReply(toLine(this.message));
  }
}

/** `arity` as Redis counts: the command's name included, negative for "at least". */
export type CommandSpec = {
  arity: number;
  isWrite: boolean;
  /** What is wrong with a command before it runs, and so refuses a whole transaction. */
  check?(args: string[]): string | null;
  run(keyspace: Keyspace, args: string[]): Reply;
};

export const read = (arity: number, run: CommandSpec["run"]): CommandSpec => ({ arity, isWrite: false, run });
export const write = (arity: number, run: CommandSpec["run"]): CommandSpec => ({ arity, isWrite: true, run });

/** One database. Expired keys go when they are next touched, and in `sweep`. */
export class Keyspace {
  private readonly entries = new Map<string, Entry>();
  private frozenAt: number | null = null;

  constructor(private readonly clock: () => number) {}

  /** Milliseconds since 1970. */
  now(): number {
    return this.clock();
  }

  /** During a script no key expires, while TIME and relative expiries go on by the clock: as Redis 7.0 does. */
  withFrozenExpiry<Result>(run: () => Result): Result {
    this.frozenAt = this.clock();
    try {
      return run();
    } finally {
      this.frozenAt = null;
    }
  }

  find(key: string): Entry | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined || !this.isExpired(entry)) return entry;
    this.entries.delete(key);
    return undefined;
  }

  /** The value of that type, or undefined without the key; WRONGTYPE for another type. */
  get<Type extends Value["type"]>(key: string, type: Type): ValueOf<Type> | undefined {
    const value = this.find(key)?.value;
    if (value === undefined) return undefined;
    if (value.type !== type)
      throw new CommandError("WRONGTYPE Operation against a key holding the wrong kind of value");
    return value as ValueOf<Type>;
  }

  /** A new value without expiry. */
  set(key: string, value: Value): void {
    this.entries.set(key, { value, expiresAt: null });
  }

  /** A new string under the key's present expiry. */
  replaceString(key: string, bytes: string): void {
    this.entries.set(key, { value: { type: "string", bytes }, expiresAt: this.find(key)?.expiresAt ?? null });
  }

  getOrCreate<Type extends Value["type"]>(key: string, type: Type, empty: () => ValueOf<Type>): ValueOf<Type> {
    const present = this.get(key, type);
    if (present !== undefined) return present;
    const value = empty();
    this.set(key, value);
    return value;
  }

  delete(key: string): boolean {
    return this.find(key) !== undefined && this.entries.delete(key);
  }

  /** Redis keeps no empty collections. */
  deleteIfEmpty(key: string, size: number): void {
    if (size === 0) this.entries.delete(key);
  }

  rename(from: string, to: string): boolean {
    const entry = this.find(from);
    if (entry === undefined) return false;
    this.entries.delete(from);
    this.entries.set(to, entry);
    return true;
  }

  /** Sets the expiry of a key that exists. */
  expireAt(key: string, expiresAt: bigint | null): void {
    const entry = this.find(key);
    if (entry !== undefined) entry.expiresAt = expiresAt;
  }

  keys(): string[] {
    this.sweep();
    return [...this.entries.keys()];
  }

  clear(): void {
    this.entries.clear();
  }

  sweep(): void {
    for (const [key, entry] of this.entries) if (this.isExpired(entry)) this.entries.delete(key);
  }

  private isExpired(entry: Entry): boolean {
    return entry.expiresAt !== null && (this.frozenAt ?? this.clock()) > entry.expiresAt;
  }
}
