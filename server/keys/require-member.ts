import { and, eq } from "drizzle-orm";

import type { Statements } from "../platform/database";
import { lockOwner } from "../platform/locks";
import { memberships } from "../platform/schema";
import { DomainError } from "../shared/errors";
import type { Caller } from "./access";

/**
 * Refuses who has left the organisation, or has lost the account, while their session token still lives. So no secret is made after the event
 * has ended those that there were. The organisation has to be locked already. The person is locked here, after it: a ban waits, or is seen.
 * @throws DomainError ORG_PERMISSION_REQUIRED.
 */
export async function requireMember(
  transaction: Statements,
  { ownerId, userId }: Pick<Caller, "ownerId" | "userId">,
): Promise<void> {
  const person = await lockOwner(transaction, userId);
  if (person.closedAt || (await hasLeft(transaction, { ownerId, userId })))
    throw new DomainError("ORG_PERMISSION_REQUIRED");
}

/** Whether it is known that the person has left. The organisation has to be locked. */
export async function hasLeft(
  transaction: Statements,
  { ownerId, userId }: Pick<Caller, "ownerId" | "userId">,
): Promise<boolean> {
  const [membership] = await transaction
    .select()
    .from(memberships)
    .where(and(eq(memberships.ownerId, ownerId), eq(memberships.userId, userId)));
  return membership?.hasLeft ?? false;
}
