import { and, gt, isNull, or } from "drizzle-orm";

import type { apiKeys } from "../platform/schema";

/** The same rule as `statusOf(…) === "active"`, in SQL. Active keys count against the owner's limit. */
export function isActive(keys: Pick<typeof apiKeys, "revokedAt" | "expiresAt">, now: Date) {
  return and(isNull(keys.revokedAt), or(isNull(keys.expiresAt), gt(keys.expiresAt, now)));
}
