import type { ServerContext } from "../keys/context";
import { changeAndPurge } from "../outbox/change-and-purge";
import { lockOwner } from "../platform/locks";
import { type MembershipChange, noteMembership } from "./note-membership";

/**
 * Notes that a person is a member of an organisation. Its keys that the person has created are no longer marked. Keys that were revoked stay
 * revoked. News that is repeated or late changes nothing. It is stored for who was never known to leave too: otherwise older news that arrives
 * later would mark the keys.
 * @throws what the database throws. It is safe to repeat the call.
 * @example
 * await joinOrganization(ctx, { ownerId: "org_1", userId: "user_1", at: new Date() });
 */
export async function joinOrganization(ctx: ServerContext, change: MembershipChange): Promise<void> {
  await changeAndPurge(ctx, async (transaction) => {
    await lockOwner(transaction, change.ownerId);
    await noteMembership(transaction, { ...change, hasLeft: false });
  });
}
