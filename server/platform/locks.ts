import { eq, type SQL, sql } from "drizzle-orm";

import type { Statements } from "./database";
import { apiKeys, owners } from "./schema";

/**
 * One order of locks for every transaction: first the owner, then keys in the order of their ids, then purges. Two that follow it never
 * wait for each other in a circle.
 */

/**
 * Makes the owner's row where it is missing and locks it, so that what changes an owner or adds a key runs one after another.
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

/** Locks the keys that `which` chooses, and tells their hashes as they are under the lock. */
export function lockKeys(transaction: Statements, which: SQL | undefined) {
  return transaction
    .select({ id: apiKeys.id, hash: apiKeys.hash })
    .from(apiKeys)
    .where(which)
    .orderBy(apiKeys.id)
    .for("no key update");
}

/** The same, as the first part of a statement that changes them. */
export function lockedKeyIds(statements: Statements, which: SQL | undefined) {
  return statements.select({ id: apiKeys.id }).from(apiKeys).where(which).orderBy(apiKeys.id).for("no key update");
}
