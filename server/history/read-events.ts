import { and, desc, eq, gte, sql } from "drizzle-orm";

import type { Statements } from "../platform/database";
import { apiKeys, keyEvents } from "../platform/schema";
import { DomainError } from "../shared/errors";
import type { KeyEvent } from "../shared/key-event";
import { fromPublicId, toPublicId } from "../shared/public-id";

/** Whose events: an owner's, or those of one of the owner's keys. */
export type HistoryOf = { ownerId: string } | { keyId: string };

/**
 * Chooses an owner's whole history, or that of one key.
 * @param id the key's public id; absent: all.
 * @throws DomainError API_KEY_NOT_FOUND for an unknown id and for another owner's; what the database throws.
 */
export async function chooseHistory(
  db: Statements,
  { ownerId }: { ownerId: string },
  id: string | undefined,
): Promise<HistoryOf> {
  if (id === undefined) return { ownerId };
  const isKey = and(eq(apiKeys.id, fromPublicId(id)), eq(apiKeys.ownerId, ownerId));
  const [key] = await db.select({ id: apiKeys.id }).from(apiKeys).where(isKey);
  if (!key) throw new DomainError("API_KEY_NOT_FOUND");
  return { keyId: key.id };
}

/** Where a page of events begins and how long it may be. */
interface PagePlace {
  /** An event's id. Only older ones are read. Null: from the newest on. */
  before: string | null;
  limit: number;
}

/** Reads events, newest first. @throws what the database throws. */
export async function readEvents(db: Statements, of: HistoryOf, place: PagePlace): Promise<KeyEvent[]> {
  const rows = await selectEvents(db, of, place);
  return rows.map(toKeyEvent);
}

const afterEveryId = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/**
 * Only the index of the owner, or of the key, has this order, and it leads to the first row of the page. So a page costs the same in a large
 * table, wherever it is. With `owner_id = …` and the order of ids alone, Postgres may go through the primary key instead, and past all rows of
 * other owners.
 */
export function selectEvents(db: Statements, of: HistoryOf, { before, limit }: PagePlace) {
  const [column, value] = "keyId" in of ? [keyEvents.keyId, of.keyId] : [keyEvents.ownerId, of.ownerId];
  // Together: the column is the value, and the id is smaller.
  const isOlder = sql`(${column}, ${keyEvents.id}) < (${sql.param(value, column)}, ${before ?? afterEveryId}::uuid)`;
  return db
    .select()
    .from(keyEvents)
    .where(and(gte(column, value), isOlder))
    .orderBy(desc(column), desc(keyEvents.id))
    .limit(limit);
}

export function toKeyEvent(row: typeof keyEvents.$inferSelect): KeyEvent {
  const { id, at, action, keyId, keyName, actorKind, actorId, impersonatedBy, detail } = row;
  const actor = { kind: actorKind, id: actorId, ...(impersonatedBy !== null && { impersonatedBy }) };
  return { id, at, action, keyId: keyId === null ? null : toPublicId(keyId), keyName, actor, detail };
}
