import { and, eq, isNull } from "drizzle-orm";

import type { ServerContext } from "../keys/context";
import { byClerk, recordEvents } from "../history";
import { lockedKeyIds, lockOwner } from "../platform/locks";
import { apiKeys, owners } from "../platform/schema";
import { changeAndPurge } from "../outbox/change-and-purge";

export interface OwnerAccess {
  allowed: boolean;
  /** When the access ends by itself. Null: it does not. */
  until: Date | null;
}

/**
 * Stores whether the owner's plan includes API access. The slots of all the owner's keys are purged with the change, so that the next
 * verification reads the new value. A purge that Redis does not confirm stays in the outbox.
 * @param change `at`: when that was so, by the clock of the system that reports it. What is older than the last report changes nothing.
 * @throws what the database throws. It is safe to repeat the call.
 * @example
 * await setOwnerAccess(ctx, { ownerId: "user_1", at: new Date(), allowed: true, until: null });
 */
export async function setOwnerAccess(
  ctx: ServerContext,
  change: OwnerAccess & { ownerId: string; at: Date },
): Promise<void> {
  const { ownerId, allowed, until, at } = change;
  await changeAndPurge(ctx, async (transaction, purge) => {
    const owner = await lockOwner(transaction, ownerId);
    if (owner.accessEventAt && owner.accessEventAt > at) return;
    await transaction
      .update(owners)
      .set({ accessAllowed: allowed, accessUntil: until, accessEventAt: at })
      .where(eq(owners.id, ownerId));
    if (owner.accessAllowed !== allowed)
      await recordEvents(transaction, [
        { action: "owner.access_changed", ownerId, actor: byClerk, detail: { allowed } },
      ]);
    const isSame = owner.accessAllowed === allowed && owner.accessUntil?.getTime() === until?.getTime();
    // The call may be repeated because the first outcome was unknown. The first one may not have tried its purge.
    const isRepeated = owner.accessEventAt?.getTime() === at.getTime();
    if (isSame && !isRepeated) return;
    // The keys are locked although they are only read: every transaction locks keys, in the order of their ids, before their purges.
    const living = and(eq(apiKeys.ownerId, ownerId), isNull(apiKeys.revokedAt));
    const keys = await lockedKeyIds(transaction, living);
    await purge({ target: "absent", keyIds: keys.map(({ id }) => id) });
  });
}
