import { randomUUID } from "node:crypto";

import type { RedisClients } from "../platform/redis";
import { parseSlotPayload, slotKeyOf, type SlotPayload } from "../gateway/slot-payload";

/**
 * The lease-fenced slot: one Redis key per API key, `<API_KEY_REDIS_PREFIX>ak:<hex SHA-256>`. It holds nothing, or exactly one of
 *
 *     L:<Redis TIME in µs>:<nonce>   a lease: its holder may fill the slot after reading the database
 *     V:<payload>                    what the database said; may be accepted until the slot expires
 *     T:                             revoked, for good
 *     M:                             bypass: ask the database, fill nothing
 *
 * A fill needs the lease of its own call to be still there, and every purge removes it. So a value that was read before a revocation can
 * never be stored after the purge, whatever the cache loses, evicts or reorders. The lease must be present to *allow* a write. A tombstone
 * or an epoch would have to be present to *forbid* one, and a cache may lose it at any time. See docs/decisions/001.
 * The leases follow R. Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013, section 3.2.1.
 */
const leaseMilliseconds = 5_000;
/** Counted from the lease, not from the fill: a value is never older than this, however late its fill arrives. */
const valueMilliseconds = 60_000;
const bypassMilliseconds = 30_000;
/** Longer than any value can live plus the 5 s that the Redis clock may be stepped back. */
const tombstoneMilliseconds = 65_000;
/** After its commit a revocation holds within this time even if Redis is never reached again. */
export const guaranteeSeconds = tombstoneMilliseconds / 1_000;

const tombstone = "T:";
const bypass = "M:";

// The script makes the lease from the time of each run, so a duplicated request cannot put back a lease that a purge has removed.
const getOrLeaseScript = `
local value = redis.call('GET', KEYS[1])
if value then return value end
local time = redis.call('TIME')
local lease = 'L:' .. time[1] .. string.format('%06d', time[2]) .. ':' .. ARGV[1]
redis.call('SET', KEYS[1], lease, 'PX', ${leaseMilliseconds})
return lease`;

const fillScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
return 1`;

const bypassScript = `return redis.call('SET', KEYS[1], ARGV[1], 'PX', ${bypassMilliseconds}, 'GET')`;

// DEL first: a full Redis allows it and refuses SET. The tombstone only saves database reads; the DEL is what revokes.
const purgeScript = `
redis.call('DEL', KEYS[1])
if ARGV[2] == 'revoked' then redis.pcall('SET', KEYS[1], '${tombstone}', 'PX', ${tombstoneMilliseconds}) end
return ARGV[1]`;

export type SlotReading =
  | { kind: "value"; payload: SlotPayload }
  | { kind: "revoked" }
  /** The slot was empty and now holds this call's lease. */
  | { kind: "leased"; lease: string }
  /** Ask the database and fill nothing: a bypass, someone else's lease, or a value that is not understood. */
  | { kind: "ask" };

export interface SlotPurge {
  hash: Buffer;
  target: "revoked" | "absent";
}

/** The slots of all keys. It is an interface only for the tests: they put a naive cache here and must find its fault. */
export interface Slots {
  /** One round trip to the Redis leader. @throws what the client throws; the caller then asks the database and fills nothing. */
  read(hash: Buffer): Promise<SlotReading>;
  /**
   * Stores what the database said, if the slot still holds exactly `lease`.
   * @param content the row's payload, or "revoked" for a row that has `revoked_at`.
   * @returns whether it was stored; `false` means that a purge, an eviction or the lease's end came first.
   */
  fill(hash: Buffer, lease: string, content: SlotPayload | "revoked"): Promise<boolean>;
  /**
   * Makes verifications ask the database, for at most 30 s or until the purge arrives. For the time before the commit of a revocation.
   * @returns for each hash whether its slot held a value, so whether the key was verified within the last minute.
   * @throws what the client throws, or an Error when the answer is not understood. Then the bypass may or may not be in place.
   */
  bypass(hashes: readonly Buffer[]): Promise<boolean[]>;
  /**
   * Empties slots, in one request. With the target "revoked" it leaves a tombstone where Redis has room for one.
   * @returns for each purge whether Redis gave back its nonce. Only that is a confirmation: "it did not throw" is not.
   * @throws what the client throws. Then nobody knows which slots were emptied.
   */
  purge(purges: readonly SlotPurge[]): Promise<boolean[]>;
}

/** @param options.prefix of all slots. Every process that verifies the same keys needs the same one: a purge reaches no other slots. */
export function createSlots(options: { redis: Pick<RedisClients, "slot" | "purge">; prefix: string }): Slots {
  const { redis, prefix } = options;
  const slotKey = (hash: Buffer) => slotKeyOf(prefix, hash.toString("hex"));
  const getOrLease = redis.slot.forManyCallers(getOrLeaseScript);
  return {
    async read(hash) {
      const nonce = randomUUID();
      return interpret(await getOrLease({ keys: [slotKey(hash)], args: [nonce] }), hash.toString("hex"), nonce);
    },

    async fill(hash, lease, content) {
      const leasedAtMicroseconds = Number(lease.split(":")[1]);
      const expiresAt = Math.floor(leasedAtMicroseconds / 1_000) + valueMilliseconds;
      const value = content === "revoked" ? tombstone : `V:${JSON.stringify(content)}`;
      const call = { keys: [slotKey(hash)], args: [lease, value, String(expiresAt)] };
      return (await redis.slot.evaluate(fillScript, call)) === 1;
    },

    async bypass(hashes) {
      const calls = hashes.map((hash) => ({ keys: [slotKey(hash)], args: [bypass] }));
      const outcomes = await redis.slot.evaluateEach(bypassScript, calls);
      const previous = outcomes.map((outcome) => ("error" in outcome ? undefined : outcome.result));
      if (!previous.every(isSlotValue)) throw new Error("Redis answered with something that no slot holds");
      return previous.map((value) => typeof value === "string" && value.startsWith("V:"));
    },

    async purge(purges) {
      if (purges.length === 0) return [];
      const nonces = purges.map(() => randomUUID());
      const calls = purges.map(({ hash, target }, at) => ({ keys: [slotKey(hash)], args: [nonces[at] ?? "", target] }));
      const outcomes = await redis.purge.evaluateEach(purgeScript, calls);
      return outcomes.map((outcome, at) => "result" in outcome && outcome.result === nonces[at]);
    },
  };
}

/** Whether an answer is what a slot can hold: nothing, or one of the four. "OK", for example, does not tell what the slot held. */
function isSlotValue(value: unknown): boolean {
  return value === null || (typeof value === "string" && /^[LVTM]:/.test(value));
}

function interpret(value: unknown, hex: string, nonce: string): SlotReading {
  if (value === tombstone) return { kind: "revoked" };
  if (typeof value !== "string") return { kind: "ask" };
  if (value.startsWith("V:")) {
    const payload = parseSlotPayload(value.slice(2), hex);
    return payload ? { kind: "value", payload } : { kind: "ask" };
  }
  return value.startsWith("L:") && value.endsWith(`:${nonce}`) ? { kind: "leased", lease: value } : { kind: "ask" };
}
