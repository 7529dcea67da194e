import { and, eq, isNull, lte } from "drizzle-orm";

import { hasLeft } from "../keys/require-member";
import { revokeKeys } from "../keys/revoke";
import { type Effect, weakestEffect } from "../shared/effect";
import type { ServerContext } from "../keys/context";
import type { Statements } from "../platform/database";
import { lockOwner } from "../platform/locks";
import { apiKeys, apiKeySecrets } from "../platform/schema";
import { byClerk, recordEvents } from "../history";
import { type MembershipChange, noteMembership } from "./note-membership";

/**
 * Notes that a person has left an organisation. Its keys that the person has created are marked from then on, by `creatorLeft` in their
 * summaries: the person may still know the secrets. With the setting `onMemberLeave: "revoke"` they are revoked, in the same transaction.
 * News may arrive after the person has joined again. It then marks nothing, but where keys are to be revoked it still revokes those that were
 * created up to its time, as it would have done in time.
 * @returns the weakest effect of the revocations. Null: there was nothing to revoke.
 * @throws what the database throws. It is safe to repeat the call, also after CommitOutcomeUnknownError.
 * @example
 * await leaveOrganization(ctx, { ownerId: "org_1", userId: "user_1", at: new Date() });
 */
export async function leaveOrganization(ctx: ServerContext, change: MembershipChange): Promise<Effect | null> {
  const created = and(eq(apiKeys.ownerId, change.ownerId), eq(apiKeys.createdBy, change.userId));
  const isRevoking = ctx.settings.onMemberLeave === "revoke";
  const living = isRevoking
    ? await ctx.db
        .select({ hash: apiKeySecrets.hash })
        .from(apiKeys)
        .innerJoin(apiKeySecrets, eq(apiKeySecrets.keyId, apiKeys.id))
        .where(and(created, isNull(apiKeys.revokedAt), isNull(apiKeySecrets.effectiveAt)))
    : [];
  const leaveAndChoose = async (transaction: Statements): Promise<string[]> => {
    // A create takes this lock too: it has either committed before, and its key is seen here, or it will see that the person has left.
    await lockOwner(transaction, change.ownerId);
    const wasGone = await hasLeft(transaction, change);
    const isNews = await noteMembership(transaction, { ...change, hasLeft: true });
    if (isNews && !wasGone)
      await recordEvents(transaction, [
        { action: "member.left", ownerId: change.ownerId, actor: byClerk, detail: { userId: change.userId } },
      ]);
    if (!isRevoking) return [];
    const keys = await transaction
      .select({ id: apiKeys.id })
      .from(apiKeys)
      .where(and(created, isNull(apiKeys.effectiveAt), isNews ? undefined : lte(apiKeys.createdAt, change.at)));
    return keys.map(({ id }) => id);
  };
  const hashes = living.map(({ hash }) => hash);
  const revoked = await revokeKeys(ctx, hashes, { revokedBy: "account", actor: byClerk }, leaveAndChoose);
  return weakestEffect(revoked.map(({ effect }) => effect));
}
