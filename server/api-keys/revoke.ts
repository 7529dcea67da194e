import { and, eq, sql } from "drizzle-orm";

import type { ServerContext } from "../context";
import { commitUntilKnown } from "../db/commit-until-known";
import type { Statements } from "../db/client";
import { apiKeys } from "../db/schema";
import { DomainError } from "../errors";
import { describeFault } from "../logger";
import { enqueuePurge, queuedRevocations } from "../purges/enqueue";
import { settlePurges } from "../purges/settle";
import { type Effect, effectOfRow, pendingSince, promise } from "./effect";
import { fromPublicId, type SummaryRow, summaryColumns } from "./repository";
import { type ApiKeySummary, toSummary } from "./summary";
import { hashSecret, isWellFormedSecret } from "./token";

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
  const { row, effect } = await revoke(ctx, found, "owner");
  return { key: toSummary(row, ctx.now(), effect), effect };
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
  return found ? (await revoke(ctx, { id: found.id, hash }, "key")).effect : null;
}

async function revoke(ctx: ServerContext, found: { id: string; hash: Buffer }, revokedBy: RevokedBy) {
  await bypassBestEffort(ctx, found.hash);
  const { result, committedAt } = await commitUntilKnown(ctx, (transaction) =>
    commitRevocation(transaction, found.id, revokedBy),
  );
  const { row, purges } = result;
  const { effectiveAt } = await settlePurges(ctx, purges, [row.id]);
  const at = row.effectiveAt ?? effectiveAt.get(row.id);
  const effect: Effect = at ? { status: "effective", at } : await promiseOrTell(ctx, row.id, committedAt);
  return { row, effect };
}

/** Policy: it only shortens the time in which a cached copy is used; the purge after the commit is what counts. */
async function bypassBestEffort(ctx: Pick<ServerContext, "slots" | "logger">, hash: Buffer): Promise<void> {
  try {
    await ctx.slots.bypass(hash);
  } catch (fault) {
    ctx.logger.warn({ fault: describeFault(fault) }, "slot not bypassed");
  }
}

async function commitRevocation(transaction: Statements, id: string, revokedBy: RevokedBy) {
  const [revoked] = await transaction
    .update(apiKeys)
    .set({
      revokedAt: sql`coalesce(${apiKeys.revokedAt}, clock_timestamp())`,
      revokedBy: sql`coalesce(${apiKeys.revokedBy}, ${revokedBy})`,
      version: sql`${apiKeys.version} + 1`,
    })
    .where(eq(apiKeys.id, id))
    .returning({ ...summaryColumns, hash: apiKeys.hash });
  if (!revoked) throw new DomainError("API_KEY_NOT_FOUND");
  // The hash as it is under the lock: a retried create may have replaced it since the lookup.
  const { hash, ...row } = revoked;
  await enqueuePurge(transaction, { keyId: id, hash, target: "revoked" });
  return { row, purges: await queuedRevocations(transaction, id) };
}

async function promiseOrTell(
  ctx: Pick<ServerContext, "db" | "logger">,
  id: string,
  committedAt: Date,
): Promise<Effect> {
  const fallback = pendingSince(committedAt);
  try {
    const [row] = await promise(ctx.db, [id], committedAt);
    return (row && effectOfRow(row)) ?? fallback;
  } catch (fault) {
    // The bound holds whether it was stored or not: it follows from the commit alone.
    ctx.logger.warn({ fault: describeFault(fault) }, "promise not stored");
    return fallback;
  }
}
