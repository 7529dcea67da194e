import { hashSecret } from "@/server/keys/secret";

/** The default of API_KEY_REDIS_PREFIX, with which all servers in tests run. */
export const redisPrefix = "latchkey:";

/** Where Redis holds the slot of a key, given its secret or its hash. */
export function slotKeyOf(key: string | Buffer): string {
  const hash = typeof key === "string" ? hashSecret(key) : key;
  return `${redisPrefix}ak:${hash.toString("hex")}`;
}
