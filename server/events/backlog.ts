import { type SQL, sql } from "drizzle-orm";

import type { Statements } from "../platform/database";
import { eventDeliveries } from "../platform/schema";

/** What is still to be sent, for operators. */
export interface EventBacklog {
  /** Events that wait to be sent, or to be sent again. It counts no further than 10,000. */
  waiting: number;
  /** How long the oldest of them has waited; null when there is none. */
  oldestSeconds: number | null;
  /** Events that were given up after 3 days and are still in the history. It counts no further than 10,000. */
  givenUp: number;
}

/** A receiver that is down for days leaves many. They must not make the check of a server's health slow. */
const countedAtMost = 10_000;

/** @throws what the database throws. */
export async function readEventBacklog(db: Statements): Promise<EventBacklog> {
  const count = (which: SQL) =>
    sql`(select count(*)::int from (select from ${eventDeliveries} where ${which} limit ${countedAtMost}) as counted)`;
  const { rows } = await db.execute<{ waiting: number; given_up: number; age: string | null }>(sql`
    select ${count(sql`given_up_at is null`)} as waiting, ${count(sql`given_up_at is not null`)} as given_up,
      (select extract(epoch from clock_timestamp() - min(created_at)) from ${eventDeliveries} where given_up_at is null) as age`);
  const { waiting = 0, given_up: givenUp = 0, age = null } = rows[0] ?? {};
  return { waiting, oldestSeconds: age === null ? null : Math.max(0, Number(age)), givenUp };
}
