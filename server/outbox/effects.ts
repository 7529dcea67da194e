import { and, inArray, isNotNull, isNull, type SQL, sql } from "drizzle-orm";

import { type Effect, weakestEffect } from "../shared/effect";
import { guaranteeSeconds } from "../slot/slot";
import { eventsAreSent, type Statements } from "../platform/database";
import { lockedKeyIds } from "../platform/locks";
import { apiKeys, apiKeySecrets, cachePurges } from "../platform/schema";

/** What a key's row says of its revocation. */
type RevocationState = Pick<typeof apiKeys.$inferSelect, "id" | "revokedAt" | "effectiveAt" | "guaranteedBy">;

/** The effect of each revoked key among `rows`, by row id. A row that was pending is looked at again. */
export async function effectsOf(db: Statements, rows: readonly RevocationState[]): Promise<Map<string, Effect>> {
  const revoked = rows.filter((row) => row.revokedAt);
  const pending = revoked.filter((row) => !row.effectiveAt).map((row) => row.id);
  const current = await recordEffects(db, pending, null);
  const known = revoked.flatMap((row): [string, Effect][] =>
    row.effectiveAt ? [[row.id, { status: "effective", at: row.effectiveAt }]] : [],
  );
  return new Map([...known, ...current]);
}

/**
 * Records how far committed revocations of keys have come, and returns it. Two facts are stored, each only once, so that later answers
 * repeat them: `guaranteed_by`, by when the revocation holds at the latest, and `effective_at`, once no purge of the key is queued any more.
 * The second is safe, since a row leaves the outbox only after Redis has confirmed it. A trigger tells the history of it. One statement
 * reads one snapshot, which has a revocation and its outbox row together.
 * @param seenCommitted the database's clock, read after the revocations were seen as committed. Null: the statement reads the clock, which
 *   is later. A time from before the commit (now(), revoked_at) would promise too early a moment, since a commit may wait behind a lock.
 * @returns the effects by key id.
 */
export async function recordEffects(
  db: Statements,
  keyIds: readonly string[],
  seenCommitted: Date | null,
): Promise<Map<string, Effect>> {
  if (keyIds.length === 0) return new Map();
  const isRevoked = and(inArray(apiKeys.id, [...keyIds]), isNotNull(apiKeys.revokedAt));
  const rows = await db
    .update(apiKeys)
    .set(receiptOf(apiKeys, sql`${cachePurges.keyId} = ${apiKeys}.id`, seenCommitted))
    .where(inArray(apiKeys.id, lockedKeyIds(db, isRevoked)))
    .returning({
      id: apiKeys.id,
      effectiveAt: apiKeys.effectiveAt,
      guaranteedBy: apiKeys.guaranteedBy,
      sent: eventsAreSent(db),
    });
  return effectsBy(rows);
}

/** The same for secrets that were revoked alone, while their keys live on. @returns the effects by hash, in hexadecimal. */
export async function recordSecretEffects(
  db: Statements,
  hashes: readonly Buffer[],
  seenCommitted: Date | null,
): Promise<Map<string, Effect>> {
  if (hashes.length === 0) return new Map();
  return effectsBy(await recordSecrets(db, inArray(apiKeySecrets.hash, [...hashes]), seenCommitted));
}

/**
 * The weakest effect of the secrets with an end that were revoked and are not known to be effective, of each of these keys: of the end of a
 * grace, or of a rotation without one. @returns the effects by key id.
 */
export async function effectsOfEndedSecrets(db: Statements, keyIds: readonly string[]): Promise<Map<string, Effect>> {
  if (keyIds.length === 0) return new Map();
  const isPending = and(isNotNull(apiKeySecrets.endsAt), isNull(apiKeySecrets.effectiveAt));
  const rows = await recordSecrets(db, and(inArray(apiKeySecrets.keyId, [...keyIds]), isPending), null);
  return new Map(
    keyIds.flatMap((keyId) => {
      const weakest = weakestEffect([...effectsBy(rows.filter((row) => row.keyId === keyId)).values()]);
      return weakest ? [[keyId, weakest] as const] : [];
    }),
  );
}

async function recordSecrets(db: Statements, which: SQL | undefined, seenCommitted: Date | null) {
  const revoked = and(which, isNotNull(apiKeySecrets.revokedAt));
  const keyIds = db.select({ id: apiKeySecrets.keyId }).from(apiKeySecrets).where(revoked);
  return db
    .update(apiKeySecrets)
    .set(receiptOf(apiKeySecrets, sql`${cachePurges.hash} = ${apiKeySecrets}.secret_hash`, seenCommitted))
    .where(and(revoked, inArray(apiKeySecrets.keyId, lockedKeyIds(db, inArray(apiKeys.id, keyIds)))))
    .returning({
      id: sql<string>`encode(${apiKeySecrets.hash}, 'hex')`,
      keyId: apiKeySecrets.keyId,
      effectiveAt: apiKeySecrets.effectiveAt,
      guaranteedBy: apiKeySecrets.guaranteedBy,
    });
}

/** @param isOfIt chooses the purges that the revocation waits for. */
function receiptOf(table: typeof apiKeys | typeof apiKeySecrets, isOfIt: SQL, seenCommitted: Date | null) {
  const since = seenCommitted ? sql`${seenCommitted.toISOString()}::timestamptz` : sql`clock_timestamp()`;
  const isQueued = sql`exists (select from ${cachePurges} where ${isOfIt} and ${cachePurges.target} = 'revoked')`;
  return {
    guaranteedBy: sql`coalesce(${table.guaranteedBy}, ${since} + ${guaranteeSeconds} * interval '1 second')`,
    effectiveAt: sql`coalesce(${table.effectiveAt}, case when not ${isQueued} then clock_timestamp() end)`,
  };
}

function effectsBy(rows: readonly Pick<RevocationState, "id" | "effectiveAt" | "guaranteedBy">[]): Map<string, Effect> {
  return new Map(
    rows.flatMap((row): [string, Effect][] => {
      if (row.effectiveAt) return [[row.id, { status: "effective", at: row.effectiveAt }]];
      return row.guaranteedBy ? [[row.id, { status: "pending", guaranteedBy: row.guaranteedBy }]] : [];
    }),
  );
}

/** The promise for a purge that Redis has not confirmed: nothing that is cached lives longer than this after the commit was seen. */
export function pendingSince(seenCommitted: Date): Effect {
  return { status: "pending", guaranteedBy: new Date(seenCommitted.getTime() + guaranteeSeconds * 1_000) };
}
