/** Whether a key can be used at a moment. For the browser too, which sees keys expire while it shows them. */
export type KeyStatus = "active" | "expired" | "revoked";

/** The one rule for it: revoked is final, and a key ends exactly at `expiresAt`. */
export function statusOf(key: { revokedAt: Date | null; expiresAt: Date | null }, now: Date): KeyStatus {
  if (key.revokedAt) return "revoked";
  return key.expiresAt && key.expiresAt <= now ? "expired" : "active";
}
