import { eq } from "drizzle-orm";

import type { ServerContext } from "../keys/context";
import { byClerk, recordEvents } from "../history";
import { lockOwner } from "../platform/locks";
import { owners } from "../platform/schema";
import { changeAndPurge } from "../outbox/change-and-purge";

/**
 * Lets an owner who was banned create keys again. Keys that were revoked stay revoked. A deleted account is never reopened. An event that is
 * repeated or late, so not newer than the last one, changes nothing. An open account stays open.
 * @param opening `at`: when the account was not banned, by the clock of the system that reports it.
 * @throws what the database throws. It is safe to repeat the call.
 * @example
 * await reopenOwner(ctx, { ownerId: "user_1", at: new Date() });
 */
export async function reopenOwner(ctx: ServerContext, opening: { ownerId: string; at: Date }): Promise<void> {
  const { ownerId, at } = opening;
  await changeAndPurge(ctx, async (transaction) => {
    const owner = await lockOwner(transaction, ownerId);
    if (owner.closedReason === "deleted" || (owner.accountEventAt && owner.accountEventAt >= at)) return;
    // The time is stored for an open account too. Otherwise an older ban that arrives later would close it.
    await transaction
      .update(owners)
      .set({ closedAt: null, closedReason: null, accountEventAt: at })
      .where(eq(owners.id, ownerId));
    if (owner.closedAt) await recordEvents(transaction, [{ action: "owner.reopened", ownerId, actor: byClerk }]);
  });
}
