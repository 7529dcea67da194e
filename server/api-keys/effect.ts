import { and, eq, inArray, isNotNull, sql } from "drizzle-orm";

import type { ServerContext } from "../context";
import type { Statements } from "../db/client";
import { apiKeys, cachePurges } from "../db/schema";
import { DomainError } from "../errors";
import { fromPublicId, type SummaryRow, summaryColumns } from "./repository";
import { guaranteeSeconds } from "./slot";

/** How far a revocation has come. `effective` is said only after Redis has confirmed the purge, and then for good. */
export type Effect = { status: "effective"; at: Date } | { status: "pending"; guaranteedBy: Date };

/** @returns where the revocation of the owner's key stands now, null while it is not revoked. @throws API_KEY_NOT_FOUND */
export async function effectOfApiKey(
  ctx: Pick<ServerContext, "db">,
  owner: { ownerId: string },
  input: { id: string },
) {
  const rows = await ctx.db
    .select(summaryColumns)
    .from(apiKeys)
    .where(and(eq(apiKeys.id, fromPublicId(input.id)), eq(apiKeys.ownerId, owner.ownerId)));
  const [row] = rows;
  if (!row) throw new DomainError("API_KEY_NOT_FOUND");
  const effects = await effectsOf(ctx.db, rows);
  return effects.get(row.id) ?? null;
}

type RevocationState = Pick<SummaryRow, "id" | "revokedAt" | "effectiveAt" | "guaranteedBy">;

/** The effect of each revoked key among `rows`, by row id; where it was pending, as it stands now. */
export async function effectsOf(db: Statements, rows: readonly RevocationState[]): Promise<Map<string, Effect>> {
  const revoked = rows.filter((row) => row.revokedAt);
  const pending = revoked.filter((row) => !row.effectiveAt).map((row) => row.id);
  const current = pending.length > 0 ? await recordEffects(db, pending, null) : [];
  return effectsByRow([...revoked, ...current]);
}

export function effectsByRow(rows: readonly RevocationState[]): Map<string, Effect> {
  return new Map(
    rows.flatMap((row): [string, Effect][] => {
      if (row.effectiveAt) return [[row.id, { status: "effective", at: row.effectiveAt }]];
      return row.guaranteedBy ? [[row.id, { status: "pending", guaranteedBy: row.guaranteedBy }]] : [];
    }),
  );
}

/**
 * Stores what can be said of committed revocations, each once: all later answers repeat it. By when they hold at the latest; and, where
 * no purge of the key is queued any more, that they are effective: a row leaves the outbox only after Redis has confirmed it, whichever
 * call that was. One snapshot, in which a revocation is seen together with its row.
 * @param seenCommitted the database's clock, read after the committed revocations were seen; null: read it now, which is later. A time
 *   from before the commit (now(), revoked_at) would promise too early an end, since a commit may wait behind a lock.
 */
export async function recordEffects(db: Statements, keyIds: readonly string[], seenCommitted: Date | null) {
  const since = seenCommitted ? sql`${seenCommitted.toISOString()}::timestamptz` : sql`clock_timestamp()`;
  const isQueued = sql`exists (
    select from ${cachePurges} where ${cachePurges.keyId} = ${apiKeys}.id and ${cachePurges.target} = 'revoked'
  )`;
  // Locked in the order of their ids, as everywhere: no deadlock with a revocation of several keys.
  const locked = db
    .select({ id: apiKeys.id })
    .from(apiKeys)
    .where(and(inArray(apiKeys.id, [...keyIds]), isNotNull(apiKeys.revokedAt)))
    .orderBy(apiKeys.id)
    .for("no key update");
  return db
    .update(apiKeys)
    .set({
      guaranteedBy: sql`coalesce(${apiKeys.guaranteedBy}, ${since} + ${guaranteeSeconds} * interval '1 second')`,
      effectiveAt: sql`coalesce(${apiKeys.effectiveAt}, case when not ${isQueued} then clock_timestamp() end)`,
    })
    .where(inArray(apiKeys.id, locked))
    .returning(summaryColumns);
}

/** What may be promised of a purge that is not confirmed: nothing cached lives longer than this after the commit was seen. */
export function pendingSince(seenCommitted: Date): Effect {
  return { status: "pending", guaranteedBy: new Date(seenCommitted.getTime() + guaranteeSeconds * 1_000) };
}
