import { and, eq, inArray, isNotNull, sql } from "drizzle-orm";

import type { ServerContext } from "../context";
import type { Statements } from "../db/client";
import { apiKeys } from "../db/schema";
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

/** The effect of each revoked key among `rows`, by row id. Promises a time to those that were revoked but never got an answer. */
export async function effectsOf(db: Statements, rows: readonly RevocationState[]): Promise<Map<string, Effect>> {
  const revoked = rows.filter((row) => row.revokedAt);
  const unpromised = revoked.filter((row) => !row.effectiveAt && !row.guaranteedBy).map((row) => row.id);
  const promised = unpromised.length > 0 ? await promise(db, unpromised, null) : [];
  return effectsByRow([...revoked, ...promised]);
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
 * Stores by when these committed revocations hold at the latest, unless a time was stored before: all later answers repeat the first.
 * @param seenCommitted the database's clock, read after the committed revocations were seen; null: read it now, which is later. A time
 *   from before the commit (now(), revoked_at) would promise too early an end, since a commit may wait behind a lock.
 */
export async function promise(db: Statements, keyIds: readonly string[], seenCommitted: Date | null) {
  const since = seenCommitted ? sql`${seenCommitted.toISOString()}::timestamptz` : sql`clock_timestamp()`;
  // Locked in the order of their ids, as everywhere: no deadlock with a revocation of several keys.
  const locked = db
    .select({ id: apiKeys.id })
    .from(apiKeys)
    .where(inArray(apiKeys.id, [...keyIds]))
    .orderBy(apiKeys.id)
    .for("no key update");
  return db
    .update(apiKeys)
    .set({ guaranteedBy: sql`coalesce(${apiKeys.guaranteedBy}, ${since} + ${guaranteeSeconds} * interval '1 second')` })
    .where(and(inArray(apiKeys.id, locked), isNotNull(apiKeys.revokedAt)))
    .returning(summaryColumns);
}

/** What may be promised of a purge that is not confirmed: nothing cached lives longer than this after the commit was seen. */
export function pendingSince(seenCommitted: Date): Effect {
  return { status: "pending", guaranteedBy: new Date(seenCommitted.getTime() + guaranteeSeconds * 1_000) };
}

/** The weakest of several: pending before effective, then the later time. Null for none. */
export function weakestEffect(effects: readonly Effect[]): Effect | null {
  const pending = effects.filter((effect) => effect.status === "pending");
  const candidates = pending.length > 0 ? pending : effects;
  const timeOf = (effect: Effect) => (effect.status === "pending" ? effect.guaranteedBy : effect.at).getTime();
  return candidates.toSorted((a, b) => timeOf(b) - timeOf(a))[0] ?? null;
}
