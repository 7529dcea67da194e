import { asc, eq, sql } from "drizzle-orm";

import type { Statements } from "@/server/platform/database";
import { eventDeliveries, keyEvents } from "@/server/platform/schema";

/** The actions of an owner's events that are still to be sent, or were given up. */
export async function waitingActions(db: Statements, ownerId: string): Promise<string[]> {
  const rows = await db
    .select({ action: keyEvents.action })
    .from(eventDeliveries)
    .innerJoin(keyEvents, eq(keyEvents.id, eventDeliveries.eventId))
    .where(eq(keyEvents.ownerId, ownerId))
    .orderBy(asc(keyEvents.id));
  return rows.map(({ action }) => action);
}

/** As if the pauses were over, and the process that had claimed them were dead. */
export async function makeEventsDue(db: Statements): Promise<void> {
  await db.update(eventDeliveries).set({ nextAttemptAt: sql`clock_timestamp()`, claimedUntil: null });
}

/** As if the first attempt had been so long ago. */
export async function ageDeliveries(db: Statements, hours: number): Promise<void> {
  await db.update(eventDeliveries).set({
    firstAttemptAt: sql`first_attempt_at - ${hours}::float8 * interval '1 hour'`,
    createdAt: sql`created_at - ${hours}::float8 * interval '1 hour'`,
  });
}
