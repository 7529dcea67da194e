import { and, eq, isNull, lte, sql } from "drizzle-orm";

import { revokeKeys } from "../keys/revoke";
import { type Effect, weakestEffect } from "../shared/effect";
import type { ServerContext } from "../keys/context";
import type { Statements } from "../platform/database";
import { lockOwner } from "../platform/locks";
import { apiKeys, owners } from "../platform/schema";

interface Closing {
  ownerId: string;
  /** When the account was banned or deleted, by the clock of who says so. */
  at: Date;
  reason: "banned" | "deleted";
}

/**
 * Closes the owner's account and revokes all of its keys, in one transaction: no key that is created at the same time survives.
 * A ban that is older than the last ban or unban does not close; it still revokes what had been created by then, as it would have in time.
 * @returns the weakest effect of the revocations; null when there was nothing to revoke.
 * @throws what the database throws. Repeating is safe.
 */
export async function closeOwner(ctx: ServerContext, closing: Closing): Promise<Effect | null> {
  const living = await ctx.db
    .select({ hash: apiKeys.hash })
    .from(apiKeys)
    .where(and(eq(apiKeys.ownerId, closing.ownerId), isNull(apiKeys.revokedAt)));
  const hashes = living.map((key) => key.hash);
  const revoked = await revokeKeys(ctx, hashes, "account", (transaction) => closeAndChoose(transaction, closing));
  return weakestEffect(revoked.map(({ effect }) => effect));
}

async function closeAndChoose(transaction: Statements, { ownerId, at, reason }: Closing): Promise<string[]> {
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
  // Under the owner's lock: every create has either committed and is seen, or will see the account closed.
  const keys = await transaction
    .select({ id: apiKeys.id })
    .from(apiKeys)
    .where(
      and(
        eq(apiKeys.ownerId, ownerId),
        isNull(apiKeys.effectiveAt),
        isOutdated ? lte(apiKeys.createdAt, at) : undefined,
      ),
    );
  return keys.map((key) => key.id);
}
