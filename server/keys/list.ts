import { and, desc, eq, inArray, isNotNull, isNull, or, sql } from "drizzle-orm";

import type { ServerContext } from "./context";
import { apiKeys, owners } from "../platform/schema";
import { effectsOf } from "../outbox/effects";
import { type Caller, mayCreateKeys } from "./access";
import { summaryColumns } from "./key-columns";
import { type ApiKeySummary, toSummary } from "./summary";

/** Revoked keys stay in the database. A page needs no more of them than this. */
const revokedShown = 50;

export interface ApiKeyList {
  keys: ApiKeySummary[];
  /** How many active keys the owner has, and may have. */
  limit: { used: number; max: number };
  /** Whether the caller may create keys. */
  access: { allowed: boolean };
}

/**
 * Lists the caller's keys: active ones first, then expired ones, each newest first, then the 50 that were revoked last. It works without API
 * access too.
 * @throws what the database throws.
 * @example
 * const { keys, limit } = await listApiKeys(ctx, caller);
 * console.log(`${limit.used} of ${limit.max}`, keys.map((key) => key.display));
 */
export async function listApiKeys(ctx: ServerContext, caller: Caller): Promise<ApiKeyList> {
  const now = ctx.now();
  // Both kinds in one statement: with two, a key that is revoked in between would be in both results or in neither.
  const lastRevoked = ctx.db
    .select({ id: apiKeys.id })
    .from(apiKeys)
    .where(and(eq(apiKeys.ownerId, caller.ownerId), isNotNull(apiKeys.revokedAt)))
    .orderBy(desc(apiKeys.revokedAt), desc(apiKeys.id))
    .limit(revokedShown);
  const [rows, [owner]] = await Promise.all([
    ctx.db
      .select(summaryColumns)
      .from(apiKeys)
      .where(and(eq(apiKeys.ownerId, caller.ownerId), or(isNull(apiKeys.revokedAt), inArray(apiKeys.id, lastRevoked))))
      .orderBy(sql`${apiKeys.revokedAt} desc nulls first`, desc(apiKeys.createdAt), desc(apiKeys.id)),
    ctx.db.select().from(owners).where(eq(owners.id, caller.ownerId)),
  ]);
  const effects = await effectsOf(ctx.db, rows);
  const keys = rows.map((row) => toSummary(row, now, effects.get(row.id) ?? null));
  const active = keys.filter((key) => key.status === "active");
  return {
    keys: [...active, ...keys.filter((key) => key.status !== "active")],
    limit: { used: active.length, max: owner?.keyLimit ?? ctx.settings.keyLimit },
    access: { allowed: mayCreateKeys(ctx, caller, owner) },
  };
}
