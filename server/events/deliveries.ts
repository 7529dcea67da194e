import { eq, inArray, type SQL, sql } from "drizzle-orm";

import { toKeyEvent } from "../history";
import type { Statements } from "../platform/database";
import { eventDeliveries, keyEvents } from "../platform/schema";
import type { Outcome } from "./attempt";
import type { OutgoingEvent } from "./message";
import { pauseSecondsAfter } from "./pauses";

/** An event that this process is going to send. */
export interface Delivery {
  id: string;
  /** How many attempts there were, the one that now begins too. */
  attempts: number;
  /** Null: it was deleted from the history meanwhile. */
  event: OutgoingEvent | null;
}

/** Longer than an attempt takes, with its 15 s. After that the process that had claimed the event counts as dead, and another one sends it. */
const claimSeconds = 20;
/** So long after its first attempt an event is given up. */
const retriedSeconds = 3 * 24 * 3_600;

const seconds = (count: number) => sql`${count}::float8 * interval '1 second'`;

/** How many may begin: in all, of those that were never tried, which come first, and of the others. */
interface Places {
  all: number;
  first: number;
  again: number;
}

/** The database's clock. As text, since a Date has no microseconds. */
export async function readClockText(db: Statements): Promise<string> {
  const { rows } = await db.execute<{ clock: string }>(sql`select clock_timestamp()::text as clock`);
  return rows[0]?.clock ?? "infinity";
}

/**
 * Claims events to send: by their state, so several processes share the work, and a row that is committed late is not missed.
 * @param notTriedSince takes also what is not due, if it was not tried since then: a time of the database, as text.
 * @throws what the database throws.
 */
export async function claimDeliveries(db: Statements, places: Places, notTriedSince?: string): Promise<Delivery[]> {
  // By now(), since only a value that stays the same can be looked up in the index.
  const isDue =
    notTriedSince === undefined
      ? sql`next_attempt_at <= now()`
      : sql`coalesce(claimed_until <= now(), true) and coalesce(last_attempt_at < ${notTriedSince}::timestamptz, true)`;
  const due = (which: SQL, limit: SQL) => sql`
    select event_id from ${eventDeliveries} where given_up_at is null and ${which} and ${isDue}
    order by next_attempt_at limit ${limit} for update skip locked`;
  const placesLeft = sql`least(${places.again}::int, ${places.all}::int - (select count(*) from first_due))`;
  const { rows } = await db.execute<{ event_id: string; attempts: number }>(sql`
    with first_due as materialized (${due(sql`attempts = 0`, sql`${places.first}::int`)}),
      due_again as materialized (${due(sql`attempts > 0`, placesLeft)})
    update ${eventDeliveries} set
      attempts = attempts + 1,
      first_attempt_at = coalesce(first_attempt_at, now()),
      last_attempt_at = clock_timestamp(),
      claimed_until = now() + ${seconds(claimSeconds)},
      next_attempt_at = now() + ${seconds(claimSeconds)}
    where event_id in (select event_id from first_due union all select event_id from due_again)
    returning event_id, attempts`);
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.event_id);
  const events = await db.select().from(keyEvents).where(inArray(keyEvents.id, ids));
  const byId = new Map(events.map((row) => [row.id, { ...toKeyEvent(row), ownerId: row.ownerId }]));
  return rows
    .map(({ event_id: id, attempts }) => ({ id, attempts, event: byId.get(id) ?? null }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * Notes what has come of an attempt. What was delivered is deleted, whoever has delivered it. Any other outcome changes nothing where another
 * attempt has begun meanwhile.
 * @returns whether the event is given up now.
 * @throws what the database throws. The claim then ends by itself, and the event is sent again.
 */
export async function settleDelivery(db: Statements, { id, attempts }: Delivery, outcome: Outcome): Promise<boolean> {
  if (outcome.result === "delivered") {
    await db.delete(eventDeliveries).where(eq(eventDeliveries.eventId, id));
    return false;
  }
  const isThis = sql`event_id = ${id} and attempts = ${attempts}`;
  if (outcome.result !== "failed") {
    // This attempt does not count.
    await db.execute(sql`
      update ${eventDeliveries} set attempts = attempts - 1, claimed_until = null, next_attempt_at = clock_timestamp(),
        first_attempt_at = case when attempts > 1 and ${outcome.result === "interrupted"} then first_attempt_at end
      where ${isThis}`);
    return false;
  }
  const pause = Math.max(pauseSecondsAfter(attempts), outcome.retryAfterSeconds);
  const lastAt = sql`first_attempt_at + ${seconds(retriedSeconds)}`;
  const { rows } = await db.execute<{ is_given_up: boolean }>(sql`
    update ${eventDeliveries} set claimed_until = null,
      given_up_at = case when clock_timestamp() >= ${lastAt} then clock_timestamp() end,
      next_attempt_at = least(clock_timestamp() + ${seconds(pause)}, ${lastAt})
    where ${isThis} returning given_up_at is not null as is_given_up`);
  return rows[0]?.is_given_up ?? false;
}
