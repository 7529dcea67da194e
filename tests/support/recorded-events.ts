import { asc, eq } from "drizzle-orm";

import type { Statements } from "@/server/platform/database";
import { keyEvents } from "@/server/platform/schema";

/** The rows of an owner's history in the order of their ids, without what differs in every run. */
export async function recordedEvents(db: Statements, ownerId: string) {
  const rows = await db.select().from(keyEvents).where(eq(keyEvents.ownerId, ownerId)).orderBy(asc(keyEvents.id));
  return rows.map(({ action, keyId, keyName, actorKind, actorId, impersonatedBy, detail }) => ({
    action,
    key: keyId === null ? null : `key_${keyId}`,
    name: keyName,
    actor: [actorKind, actorId, impersonatedBy],
    detail,
  }));
}

/** The same, of which only the actions. */
export async function recordedActions(db: Statements, ownerId: string): Promise<string[]> {
  return (await recordedEvents(db, ownerId)).map(({ action }) => action);
}
