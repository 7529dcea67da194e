import type { RedisClient } from "@/server/platform/redis";
import type { Slots } from "@/server/slot/slot";
import type { SlotPayload } from "@/server/gateway/slot-payload";

/** Positive control: the usual cache, SET after a miss and DEL after a revocation. The checker must find its late fills. */
export function createSetAndDelSlots(redis: RedisClient): Slots {
  const run = (script: string, hash: Buffer, ...args: string[]) =>
    redis.evaluate(script, { keys: [`naive:${hash.toString("hex")}`], args });
  return {
    async read(hash) {
      const value: unknown = await run(`return redis.call("GET", KEYS[1])`, hash);
      if (typeof value !== "string") return { kind: "leased", lease: "" };
      return value === "revoked" ? { kind: "revoked" } : { kind: "value", payload: JSON.parse(value) as SlotPayload };
    },
    async fill(hash, _lease, content) {
      const value = content === "revoked" ? content : JSON.stringify(content);
      await run(`return redis.call("SET", KEYS[1], ARGV[1], "PX", 60000)`, hash, value);
      return true;
    },
    bypass: (hashes) => Promise.resolve(hashes.map(() => false)),
    async purge(purges) {
      for (const { hash } of purges) await run(`return redis.call("DEL", KEYS[1])`, hash);
      return purges.map(() => true);
    },
  };
}

/** Positive control: our own slot, but whatever did not throw counts as a confirmation. */
export function withoutEchoCheck(slots: Slots): Slots {
  return {
    ...slots,
    async purge(purges) {
      await slots.purge(purges);
      return purges.map(() => true);
    },
  };
}
