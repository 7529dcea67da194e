import { and, eq, inArray, isNull, sql } from "drizzle-orm";

import type { ServerContext } from "../context";
import { commitUntilKnown } from "../db/commit-until-known";
import type { Statements } from "../db/client";
import { apiKeys } from "../db/schema";
import { DomainError } from "../errors";
import { describeFault } from "../logger";
import { enqueuePurges, queuedRevocations } from "../purges/enqueue";
import { settlePurges } from "../purges/settle";
import { type Effect, effectsByRow, pendingSince, recordEffects } from "./effect";
import { fromPublicId, type SummaryRow, summaryColumns, toPublicId } from "./repository";
import { type ApiKeySummary, toSummary } from "./summary";
import { hashSecret } from "./token";
import { isWellFormedSecret } from "./token-shape";
import { weakestEffect } from "./weakest-effect";

type RevokedBy = NonNullable<SummaryRow["revokedBy"]>;

/**
 * Revokes a key of the owner. Idempotent: a second call keeps the first `revokedAt` and purges again.
 * @returns the key, and from when on no verification accepts it: at once (`effective`), or `pending` with the latest moment.
 * @throws API_KEY_NOT_FOUND for a foreign or unknown id; SERVICE_UNAVAILABLE when it was not revoked, or when that is not known.
 */
export async function revokeApiKey(
  ctx: ServerContext,
  owner: { ownerId: string },
  input: { id: string },
): Promise<{ key: ApiKeySummary; effect: Effect }> {
  const [found] = await ctx.db
    .select({ id: apiKeys.id, hash: apiKeys.hash })
    .from(apiKeys)
    .where(and(eq(apiKeys.id, fromPublicId(input.id)), eq(apiKeys.ownerId, owner.ownerId)));
  if (!found) throw new DomainError("API_KEY_NOT_FOUND");
  const [revoked] = await revokeFound(ctx, [found], "owner");
  if (!revoked) throw new DomainError("API_KEY_NOT_FOUND");
  const { row, effect } = revoked;
  return { key: toSummary(row, ctx.now(), effect), effect };
}

/**
 * Revokes every key of the owner, in one transaction and one purge; also purges again what was revoked but is not effective yet.
 * @returns each key's effect, and the weakest of all: pending before effective, then the later time; null when there was nothing to revoke.
 * @throws SERVICE_UNAVAILABLE when nothing was revoked, or when that is not known.
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
export async function revokeOwnKey(ctx: ServerContext, secret: string): Promise<Effect | null> {
  const format = { prefix: ctx.settings.API_KEY_PREFIX, environment: ctx.settings.API_KEY_ENVIRONMENT };
  if (!isWellFormedSecret(secret, format)) return null;
  const hash = hashSecret(secret);
  const [found] = await ctx.databaseReads(() => ctx.findByHash.execute({ hash }));
  if (!found) return null;
  const [revoked] = await revokeFound(ctx, [{ id: found.id, hash }], "key");
  return revoked?.effect ?? null;
}

async function revokeFound(ctx: ServerContext, found: readonly { id: string; hash: Buffer }[], revokedBy: RevokedBy) {
  if (found.length === 0) return [];
  const hashes = found.map((key) => key.hash);
  return revokeKeys(ctx, hashes, revokedBy, () => Promise.resolve(found.map((key) => key.id)));
}

/**
 * The one path on which a key dies: bypass, commit with the outbox, purge, and an answer that says no more than is known.
 * @param likelyHashes what is bypassed before the commit: only a help, so it may be out of date.
 * @param chooseIds the first step of the transaction, where it may lock and change more: the keys to revoke. Idempotent.
 */
export async function revokeKeys(
  ctx: ServerContext,
  likelyHashes: readonly Buffer[],
  revokedBy: RevokedBy,
  chooseIds: (transaction: Statements) => Promise<readonly string[]>,
): Promise<{ row: SummaryRow; effect: Effect }[]> {
  if (likelyHashes.length > 0) await bypassBestEffort(ctx, likelyHashes);
  const { result, committedAt } = await commitUntilKnown(ctx, async (transaction) => {
    const ids = await chooseIds(transaction);
    return { ids, ...(await commitRevocation(transaction, ids, revokedBy)) };
  });
  const { effectiveAt } = await settlePurges(ctx, result.purges, result.ids);
  const pending = result.rows.filter((row) => !row.effectiveAt && !effectiveAt.has(row.id)).map((row) => row.id);
  const promised = await promiseOrNothing(ctx, pending, committedAt);
  return result.rows.map((row) => {
    const at = row.effectiveAt ?? effectiveAt.get(row.id);
    // Without a stored promise the bound still holds: it follows from the commit alone.
    const effect: Effect = at ? { status: "effective", at } : (promised.get(row.id) ?? pendingSince(committedAt));
    return { row, effect };
  });
}

/** Policy: it only shortens the time in which a cached copy is used; the purge after the commit is what counts. */
async function bypassBestEffort(
  ctx: Pick<ServerContext, "slots" | "logger">,
  hashes: readonly Buffer[],
): Promise<void> {
  try {
    await ctx.slots.bypass(hashes);
  } catch (fault) {
    ctx.logger.warn({ fault: describeFault(fault) }, "slots not bypassed");
  }
}

async function commitRevocation(transaction: Statements, ids: readonly string[], revokedBy: RevokedBy) {
  if (ids.length === 0) return { rows: [], purges: [] };
  // In the order of the ids, as everywhere, so that two transactions over the same keys cannot wait for each other.
  const locked = transaction
    .select({ id: apiKeys.id })
    .from(apiKeys)
    .where(inArray(apiKeys.id, [...ids]))
    .orderBy(apiKeys.id)
    .for("no key update");
  const revoked = await transaction
    .update(apiKeys)
    .set({
      revokedAt: sql`coalesce(${apiKeys.revokedAt}, clock_timestamp())`,
      revokedBy: sql`coalesce(${apiKeys.revokedBy}, ${revokedBy})`,
      version: sql`${apiKeys.version} + 1`,
    })
    .where(inArray(apiKeys.id, locked))
    .returning({ ...summaryColumns, hash: apiKeys.hash });
  // The hashes as they are under the lock: a retried create may have replaced one since the lookup.
  await enqueuePurges(
    transaction,
    revoked.map(({ id, hash }) => ({ keyId: id, hash, target: "revoked" as const })),
  );
  return { rows: revoked.map(({ hash: _hash, ...row }) => row), purges: await queuedRevocations(transaction, ids) };
}

async function promiseOrNothing(ctx: Pick<ServerContext, "db" | "logger">, ids: readonly string[], committedAt: Date) {
  if (ids.length === 0) return new Map<string, Effect>();
  try {
    return effectsByRow(await recordEffects(ctx.db, ids, committedAt));
  } catch (fault) {
    ctx.logger.warn({ fault: describeFault(fault) }, "promise not stored");
    return new Map<string, Effect>();
  }
}
