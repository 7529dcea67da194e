import { lt, lte, sql } from "drizzle-orm";

import type { Statements } from "../platform/database";
import { memberships } from "../platform/schema";

export interface MembershipChange {
  /** The organisation. */
  ownerId: string;
  userId: string;
  /** When the person joined or left, by the clock of the system that reports it. */
  at: Date;
}

/**
 * Stores whether the person has left, unless something newer is known. Of two reports of the same moment the one of leaving counts.
 * The organisation has to be locked.
 * @returns whether it is so now: the report was stored, or is the one that was stored last.
 */
export async function noteMembership(
  transaction: Statements,
  { ownerId, userId, at, hasLeft }: MembershipChange & { hasLeft: boolean },
): Promise<boolean> {
  // Of leaving, a repeated report counts too.
  const isNews = hasLeft ? lte(memberships.eventAt, at) : lt(memberships.eventAt, at);
  const stored = await transaction
    .insert(memberships)
    .values({ ownerId, userId, hasLeft, eventAt: at })
    .onConflictDoUpdate({
      target: [memberships.ownerId, memberships.userId],
      set: { hasLeft, eventAt: sql`excluded.event_at` },
      setWhere: isNews,
    })
    .returning();
  return stored.length > 0;
}
