import type { Redis } from "@upstash/redis";

import type { Slots } from "@/server/slot/slot";
import type { SlotPayload } from "@/server/gateway/slot-payload";

/** Positive control: the usual cache, SET after a miss and DEL after a revocation. The checker must find its late fills. */
export function createSetAndDelSlots(redis: Redis): Slots {
  const keyOf = (hash: Buffer) => `naive:${hash.toString("hex")}`;
  return {
    async read(hash) {
      const value: unknown = await redis.get(keyOf(hash));
      if (typeof value !== "string") return { kind: "leased", lease: "" };
      return value === "revoked" ? { kind: "revoked" } : { kind: "value", payload: JSON.parse(value) as SlotPayload };
    },
    async fill(hash, _lease, content) {
      await redis.set(keyOf(hash), content === "revoked" ? content : JSON.stringify(content), { px: 60_000 });
      return true;
    },
    bypass: (hashes) => Promise.resolve(hashes.map(() => false)),
    async purge(purges) {
      for (const { hash } of purges) await redis.del(keyOf(hash));
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
