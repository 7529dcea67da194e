import { and, gt, isNull, or } from "drizzle-orm";

import type { apiKeys } from "../platform/schema";

/** The SQL twin of `statusOf(…) === "active"`: what counts against the limit. */
export function isActive(keys: Pick<typeof apiKeys, "revokedAt" | "expiresAt">, now: Date) {
  return and(isNull(keys.revokedAt), or(isNull(keys.expiresAt), gt(keys.expiresAt, now)));
}
