/** Whether a key can be used at a moment. The browser uses it too, since keys expire while a page shows them. */
export type KeyStatus = "active" | "expired" | "revoked";

/** The only rule for a key's status. Revoked is final, and a key ends exactly at `expiresAt`. In SQL: `server/keys/is-active.ts`. */
export function statusOf(key: { revokedAt: Date | null; expiresAt: Date | null }, now: Date): KeyStatus {
  if (key.revokedAt) return "revoked";
  return hasEnded(key.expiresAt?.getTime() ?? null, now.getTime()) ? "expired" : "active";
}

/** Both in milliseconds since 1970; null: it never ends. */
export function hasEnded(expiresAt: number | null, now: number): boolean {
  return expiresAt !== null && expiresAt <= now;
}
