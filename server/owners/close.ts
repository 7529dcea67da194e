import { and, eq, isNull, lte, or, type SQL, sql } from "drizzle-orm";

import { byClerk, recordEvents } from "../history";
import { revokeKeys } from "../keys/revoke";
import { type Effect, weakestEffect } from "../shared/effect";
import type { ServerContext } from "../keys/context";
import type { Statements } from "../platform/database";
import { lockOwner } from "../platform/locks";
import { apiKeys, apiKeySecrets, owners } from "../platform/schema";

interface Closing {
  ownerId: string;
  /** When the account was banned or deleted, by the clock of the system that reports it. */
  at: Date;
  reason: "banned" | "deleted";
}

/**
 * Closes the owner's account and revokes all of its keys, in one transaction. So no key survives that is created at the same time. An
 * organisation's keys that this person has created are treated as when the person leaves it.
 * A ban may arrive after a newer ban or unban. It then does not close the account, but it still revokes the keys that were created up to its
 * time, as it would have done in time.
 * @returns the weakest effect of the revocations. Null: there was nothing to revoke.
 * @throws what the database throws. It is safe to repeat the call, also after CommitOutcomeUnknownError.
 * @example
 * await closeOwner(ctx, { ownerId: "user_1", at: new Date(), reason: "banned" });
 */
export async function closeOwner(ctx: ServerContext, closing: Closing): Promise<Effect | null> {
  const living = await ctx.db
    .select({ hash: apiKeySecrets.hash })
    .from(apiKeys)
    .innerJoin(apiKeySecrets, eq(apiKeySecrets.keyId, apiKeys.id))
    .where(and(endingWith(ctx, closing.ownerId), isNull(apiKeys.revokedAt), isNull(apiKeySecrets.effectiveAt)));
  const hashes = living.map(({ hash }) => hash);
  const byAccount = { revokedBy: "account", actor: byClerk } as const;
  const revoked = await revokeKeys(ctx, hashes, byAccount, (transaction) => closeAndChoose(ctx, transaction, closing));
  return weakestEffect(revoked.map(({ effect }) => effect));
}

/** The keys that do not outlive the account. */
function endingWith({ settings }: Pick<ServerContext, "settings">, ownerId: string): SQL | undefined {
  const own = eq(apiKeys.ownerId, ownerId);
  return settings.onMemberLeave === "revoke" ? or(own, eq(apiKeys.createdBy, ownerId)) : own;
}

async function closeAndChoose(
  ctx: Pick<ServerContext, "settings">,
  transaction: Statements,
  { ownerId, at, reason }: Closing,
): Promise<string[]> {
  const owner = await lockOwner(transaction, ownerId);
  const isOutdated = reason === "banned" && owner.accountEventAt !== null && owner.accountEventAt > at;
  if (!isOutdated)
    await transaction
      .update(owners)
      .set({
        closedAt: sql`coalesce(${owners.closedAt}, clock_timestamp())`,
        closedReason: owner.closedReason === "deleted" ? "deleted" : reason,
        accountEventAt: sql`greatest(${owners.accountEventAt}, ${at.toISOString()}::timestamptz)`,
      })
      .where(eq(owners.id, ownerId));
  if (!isOutdated && !owner.closedAt)
    await recordEvents(transaction, [{ action: "owner.closed", ownerId, actor: byClerk, detail: { reason } }]);
  // This runs under the owner's lock, which a create takes too, for an organisation the lock of the person who creates. So a create has
  // either committed before, and its key is seen here, or it will see the closed account.
  const keys = await transaction
    .select({ id: apiKeys.id })
    .from(apiKeys)
    .where(
      and(endingWith(ctx, ownerId), isNull(apiKeys.effectiveAt), isOutdated ? lte(apiKeys.createdAt, at) : undefined),
    );
  return keys.map((key) => key.id);
}
