import { and, eq, isNull } from "drizzle-orm";

import type { ServerContext } from "../keys/context";
import { lockKeys, lockOwner } from "../platform/locks";
import { apiKeys, owners } from "../platform/schema";
import { changeAndPurge } from "../outbox/change-and-purge";

export interface OwnerAccess {
  allowed: boolean;
  /** When it ends by itself; null: not. */
  until: Date | null;
}

/**
 * Says whether the owner's plan includes API access. Every slot of the owner is purged with the change, so that the next verification
 * judges anew; one that Redis does not confirm stays in the outbox.
 * @param change `at`: when that was so, by the clock of who says it. An older statement than the last one changes nothing.
 * @throws what the database throws. Repeating is safe.
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
    const isSame = owner.accessAllowed === allowed && owner.accessUntil?.getTime() === until?.getTime();
    // Repeated, perhaps because the outcome was unknown: the first may not have come to its purge.
    const isRepeated = owner.accessEventAt?.getTime() === at.getTime();
    if (isSame && !isRepeated) return;
    // Locked although only read: purges are locked after their keys, in the keys' order, as by everybody else.
    const living = and(eq(apiKeys.ownerId, ownerId), isNull(apiKeys.revokedAt));
    const keys = await lockKeys(transaction, living);
    await purge(keys.map(({ id, hash }) => ({ keyId: id, hash, target: "absent" as const })));
  });
}
