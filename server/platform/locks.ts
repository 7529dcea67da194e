import { eq, inArray, type SQL, sql } from "drizzle-orm";

import type { Statements } from "./database";
import { apiKeys, owners } from "./schema";

/**
 * Every transaction locks in the same order: first an organisation, then a person, then keys in the order of their ids, then purges. So two
 * transactions never wait for each other in a circle.
 */

/**
 * Locks the owner's row, and makes it first where it is missing. So changes of one owner, and creations of its keys, run one after another.
 * @param accessClaim whether the session says that the plan includes access. It is stored only where the row does not know yet, since a
 *   session may be out of date and must not give back what was taken away. Null: the session says nothing.
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

/**
 * Locks the keys that `which` chooses, by itself or as a part of the statement that changes them. A key's lock holds for its secrets too:
 * whoever adds or changes one has locked the key before.
 */
export function lockedKeyIds(statements: Statements, which: SQL | undefined) {
  return statements.select({ id: apiKeys.id }).from(apiKeys).where(which).orderBy(apiKeys.id).for("no key update");
}

/** Locks keys, and reads what the history tells of them and how far their revocation is. */
export function lockKeys(transaction: Statements, ids: readonly string[]) {
  const { id, name, ownerId, revokedAt, effectiveAt } = apiKeys;
  return transaction
    .select({ id, name, ownerId, revokedAt, effectiveAt })
    .from(apiKeys)
    .where(inArray(id, [...ids]))
    .orderBy(id)
    .for("no key update");
}
