import { and, eq, isNull } from "drizzle-orm";

import type { ServerContext } from "../context";
import { commitUntilKnown } from "../db/commit-until-known";
import type { Statements } from "../db/client";
import { apiKeys, owners } from "../db/schema";
import { enqueuePurges, type QueuedPurge } from "../purges/enqueue";
import { settlePurges } from "../purges/settle";
import { lockOwner } from "./lock";

export interface OwnerAccess {
  allowed: boolean;
  /** When it ends by itself; null: not. */
  until: Date | null;
}

/**
 * Says whether the owner's plan includes API access. Every slot of the owner is purged with the change, so that the next verification
 * judges anew; one that Redis does not confirm stays in the outbox.
 * @param change `at`: when that was so, by the clock of who says it. An older statement than the last one changes nothing.
 * @throws SERVICE_UNAVAILABLE when nothing was changed, or that is not known. Repeating is safe.
 */
export async function setOwnerAccess(
  ctx: ServerContext,
  change: OwnerAccess & { ownerId: string; at: Date },
): Promise<void> {
  const { ownerId, allowed, until, at } = change;
  const { result: purges } = await commitUntilKnown(ctx, async (transaction) => {
    const owner = await lockOwner(transaction, ownerId);
    if (owner.accessEventAt && owner.accessEventAt > at) return [];
    await transaction
      .update(owners)
      .set({ accessAllowed: allowed, accessUntil: until, accessEventAt: at })
      .where(eq(owners.id, ownerId));
    const isSame = owner.accessAllowed === allowed && owner.accessUntil?.getTime() === until?.getTime();
    // Repeated, perhaps because the outcome was unknown: the first may not have come to its purge.
    const isRepeated = owner.accessEventAt?.getTime() === at.getTime();
    return isSame && !isRepeated ? [] : purgeLivingKeys(transaction, ownerId);
  });
  await settlePurges(ctx, purges, []);
}

async function purgeLivingKeys(transaction: Statements, ownerId: string): Promise<QueuedPurge[]> {
  // Locked although only read: purges are locked after their keys, in the keys' order, as by everybody else.
  const living = await transaction
    .select({ keyId: apiKeys.id, hash: apiKeys.hash })
    .from(apiKeys)
    .where(and(eq(apiKeys.ownerId, ownerId), isNull(apiKeys.revokedAt)))
    .orderBy(apiKeys.id)
    .for("no key update");
  return enqueuePurges(
    transaction,
    living.map((key) => ({ ...key, target: "absent" as const })),
  );
}
