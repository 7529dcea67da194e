import type { Statements } from "../platform/database";
import type { HistoryInput } from "../shared/inputs";
import type { KeyEvent } from "../shared/key-event";
import { chooseHistory, readEvents } from "./read-events";

export interface KeyEventPage {
  /** Newest first. */
  events: KeyEvent[];
  /** Asks for the next, older page. Null: there is none. */
  nextCursor: string | null;
}

/**
 * Lists what has happened to the owner's keys and to the owner, or to one key. What is recorded meanwhile moves no page: a page begins after the
 * last event of the one before, wherever that is by then.
 * @param input already checked by `historyInput`. A cursor of another owner's page is only a place in time.
 * @throws DomainError API_KEY_NOT_FOUND for an unknown id and for another owner's; what the database throws.
 * @example
 * const { events, nextCursor } = await listKeyEvents(ctx, caller, historyInput.parse({ limit: 10 }));
 */
export async function listKeyEvents(
  ctx: { db: Statements },
  owner: { ownerId: string },
  input: HistoryInput,
): Promise<KeyEventPage> {
  const { id, cursor = null, limit } = input;
  const of = await chooseHistory(ctx.db, owner, id);
  // One more tells whether there is a next page.
  const found = await readEvents(ctx.db, of, { before: cursor, limit: limit + 1 });
  const events = found.slice(0, limit);
  return { events, nextCursor: found.length > limit ? (events.at(-1)?.id ?? null) : null };
}
