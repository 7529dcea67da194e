/** Whether a key can be used at a moment. For the browser too, which sees keys expire while it shows them. */
export type KeyStatus = "active" | "expired" | "revoked";

/** The one rule for it: revoked is final, and a key ends exactly at `expiresAt`. In SQL: `server/keys/is-active.ts`. */
export function statusOf(key: { revokedAt: Date | null; expiresAt: Date | null }, now: Date): KeyStatus {
  if (key.revokedAt) return "revoked";
  return hasEnded(key.expiresAt?.getTime() ?? null, now.getTime()) ? "expired" : "active";
}

/** Both in milliseconds since 1970; null: it never ends. */
export function hasEnded(expiresAt: number | null, now: number): boolean {
  return expiresAt !== null && expiresAt <= now;
}
