import { and, eq, inArray, isNull, sql } from "drizzle-orm";

import type { ServerContext } from "./context";
import type { Statements } from "../platform/database";
import { lockedKeyIds } from "../platform/locks";
import { apiKeys } from "../platform/schema";
import { DomainError } from "../shared/errors";
import { changeAndPurge } from "../outbox/change-and-purge";
import { fromPublicId, toPublicId } from "../shared/public-id";
import { type SummaryRow, summaryColumns } from "./key-columns";
import { type ApiKeySummary, toSummary } from "./summary";
import { hashSecret } from "./secret";
import { isWellFormedSecret } from "../shared/secret-format";
import { type Effect, weakestEffect } from "../shared/effect";

type RevokedBy = NonNullable<SummaryRow["revokedBy"]>;
interface FoundKey {
  id: string;
  hash: Buffer;
}

/**
 * Revokes a key of the owner. Idempotent: a second call keeps the first `revokedAt` and purges again.
 * @returns the key, and from when on no verification accepts it: at once (`effective`), or `pending` with the latest moment.
 * @throws API_KEY_NOT_FOUND for a foreign or unknown id. What the database throws: then it was not revoked, but for
 *   CommitOutcomeUnknownError, when that is not known.
 */
export async function revokeApiKey(
  ctx: ServerContext,
  owner: { ownerId: string },
  input: { id: string },
): Promise<{ key: ApiKeySummary; effect: Effect }> {
  const found = await ctx.db
    .select({ id: apiKeys.id, hash: apiKeys.hash })
    .from(apiKeys)
    .where(and(eq(apiKeys.id, fromPublicId(input.id)), eq(apiKeys.ownerId, owner.ownerId)));
  const [revoked] = await revokeFound(ctx, found, "owner");
  if (!revoked) throw new DomainError("API_KEY_NOT_FOUND");
  const { row, effect } = revoked;
  return { key: toSummary(row, ctx.now(), effect), effect };
}

/**
 * Revokes every key of the owner, in one transaction and one purge; also purges again what was revoked but is not effective yet.
 * @returns each key's effect, and the weakest of all: pending before effective, then the later time; null when there was nothing to revoke.
 * @throws what `revokeApiKey` throws of the database.
 */
export async function revokeAllApiKeys(
  ctx: ServerContext,
  owner: { ownerId: string },
): Promise<{ keys: { id: string; effect: Effect }[]; effect: Effect | null }> {
  const found = await ctx.db
    .select({ id: apiKeys.id, hash: apiKeys.hash })
    .from(apiKeys)
    .where(and(eq(apiKeys.ownerId, owner.ownerId), isNull(apiKeys.effectiveAt)));
  const revoked = await revokeFound(ctx, found, "owner");
  const keys = revoked.map(({ row, effect }) => ({ id: toPublicId(row.id), effect }));
  return { keys, effect: weakestEffect(keys.map(({ effect }) => effect)) };
}

/**
 * A key revokes itself, whatever its access, scopes or limits. Looked up in the database, never in the slot.
 * @returns the effect, also for a key that was revoked before; null for a secret that no key has.
 * @throws what the database throws when it cannot be reached.
 */
export async function revokeSelf(ctx: ServerContext, secret: string): Promise<Effect | null> {
  const format = ctx.settings.secretFormat;
  if (!isWellFormedSecret(secret, format)) return null;
  const hash = hashSecret(secret);
  const [found] = await ctx.databaseReads(() => ctx.findByHash.execute({ hash }));
  const [revoked] = await revokeFound(ctx, found ? [{ id: found.id, hash }] : [], "key");
  return revoked?.effect ?? null;
}

async function revokeFound(ctx: ServerContext, found: readonly FoundKey[], revokedBy: RevokedBy) {
  if (found.length === 0) return [];
  const hashes = found.map((key) => key.hash);
  return revokeKeys(ctx, hashes, revokedBy, () => Promise.resolve(found.map((key) => key.id)));
}

/**
 * The one path on which a key dies.
 * @param likelyHashes what is bypassed before the commit: only a help, so it may be out of date.
 * @param chooseIds the first step of the transaction, where it may lock and change more: the keys to revoke. Idempotent.
 */
export async function revokeKeys(
  ctx: Pick<ServerContext, "db" | "slots" | "logger" | "metrics">,
  likelyHashes: readonly Buffer[],
  revokedBy: RevokedBy,
  chooseIds: (transaction: Statements) => Promise<readonly string[]>,
): Promise<{ row: SummaryRow; effect: Effect }[]> {
  const { result: rows, effects } = await changeAndPurge(
    ctx,
    async (transaction, purge) => {
      const revoked = await markRevoked(transaction, await chooseIds(transaction), revokedBy);
      // The hashes as they are under the lock: a retried create may have replaced one since the lookup.
      await purge(revoked.map(({ id, hash }) => ({ keyId: id, hash, target: "revoked" as const })));
      return revoked.map(({ hash: _hash, ...row }): SummaryRow => row);
    },
    { bypass: likelyHashes },
  );
  return rows.flatMap((row) => {
    const effect = effects.get(row.id);
    return effect ? [{ row, effect }] : [];
  });
}

async function markRevoked(transaction: Statements, ids: readonly string[], revokedBy: RevokedBy) {
  if (ids.length === 0) return [];
  return transaction
    .update(apiKeys)
    .set({
      revokedAt: sql`coalesce(${apiKeys.revokedAt}, clock_timestamp())`,
      revokedBy: sql`coalesce(${apiKeys.revokedBy}, ${revokedBy})`,
    })
    .where(inArray(apiKeys.id, lockedKeyIds(transaction, inArray(apiKeys.id, [...ids]))))
    .returning({ ...summaryColumns, hash: apiKeys.hash });
}
