import { eq, sql } from "drizzle-orm";

import type { Statements } from "../db/client";
import { owners } from "../db/schema";

/**
 * Makes the owner's row where it is missing and locks it, so that what changes an owner or adds a key runs one after another. Always the
 * first lock of a transaction: owner, then keys in the order of their ids, then purges.
 * @param accessClaim what a session claims of the plan. Stored only where nothing was ever determined: a session may be stale and must
 *   not grant what was taken away. Null: claims nothing.
 */
export async function lockOwner(transaction: Statements, ownerId: string, accessClaim: boolean | null = null) {
  await transaction
    .insert(owners)
    .values({ id: ownerId, accessAllowed: accessClaim })
    .onConflictDoUpdate({
      target: owners.id,
      set: { accessAllowed: sql`coalesce(${owners.accessAllowed}, excluded.access_allowed)` },
    });
  const [owner] = await transaction.select().from(owners).where(eq(owners.id, ownerId)).for("update");
  if (!owner) throw new Error("the owner's row is gone");
  return owner;
}
