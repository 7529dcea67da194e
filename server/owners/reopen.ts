import { eq } from "drizzle-orm";

import type { ServerContext } from "../keys/context";
import { lockOwner } from "../platform/locks";
import { owners } from "../platform/schema";
import { changeAndPurge } from "../outbox/change-and-purge";

/**
 * Lets an owner who was banned create keys again; what was revoked stays revoked. A deleted account is never reopened, and a statement
 * that is not newer than the last one, such as a repeated or a late one, changes nothing. An open account stays as it is.
 * @param opening `at`: when the account was not banned, by the clock of who says so.
 * @throws what the database throws. Repeating is safe.
 */
export async function reopenOwner(ctx: ServerContext, opening: { ownerId: string; at: Date }): Promise<void> {
  const { ownerId, at } = opening;
  await changeAndPurge(ctx, async (transaction) => {
    const owner = await lockOwner(transaction, ownerId);
    if (owner.closedReason === "deleted" || (owner.accountEventAt && owner.accountEventAt >= at)) return;
    // Remembered for an open account too, so that the ban which came before this cannot close it afterwards.
    await transaction
      .update(owners)
      .set({ closedAt: null, closedReason: null, accountEventAt: at })
      .where(eq(owners.id, ownerId));
  });
}
