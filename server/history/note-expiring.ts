import { setTimeout as sleep } from "node:timers/promises";

import { sql } from "drizzle-orm";

import { eventsAreSent, type Statements } from "../platform/database";
import { describeFault, type Logger } from "../platform/logger";
import { apiKeys } from "../platform/schema";
import { bySystem } from "./actors";
import { recordEvent } from "./record-event";

interface ExpiryContext {
  db: Statements;
  logger: Logger;
}

const noticeDays = 7;
/** In one statement, which then takes some milliseconds. */
const batchSize = 500;
/** For `GET /api/cron/purge`. */
const budgetMilliseconds = 2_000;
const pauseMilliseconds = 5_000;

/**
 * Records `key.expiring` for keys that expire within 7 days, in one batch. A key that is made for a shorter time gets it at once. A key gets it
 * once, also when several processes call this: the row of the key says that it was noted. Keys that are locked by somebody are left to the
 * next call, so nobody waits, and no order of locks matters.
 * @returns how many. Fewer than 500: there are no more.
 * @throws what the database throws.
 */
export async function noteExpiringKeys(db: Statements): Promise<number> {
  // By now(), since only a value that stays the same can be looked up in the index.
  const detail = sql`jsonb_build_object('expiresAt', to_char(expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))`;
  const columns = { ownerId: sql`owner_id`, keyId: sql`id`, keyName: sql`name`, detail };
  const { rows } = await db.execute(sql`
    with due as materialized (
      select id, owner_id, name, expires_at, ${eventsAreSent(db)} from ${apiKeys}
      where expires_at > now() and expires_at <= now() + ${noticeDays} * interval '24 hours'
        and expiring_noted_at is null and revoked_at is null
      order by expires_at limit ${batchSize} for no key update skip locked
    ), noted as (
      update ${apiKeys} set expiring_noted_at = clock_timestamp() where id in (select id from due)
    )
    select ${recordEvent("key.expiring", bySystem, columns)} from (select * from due order by expires_at) as due`);
  return rows.length;
}

/** Notes batch by batch until nothing is left or 2 s are over. It never throws: what fails is logged, and the next call tries again. */
export async function noteExpiringInTime({ db, logger }: ExpiryContext, now = () => performance.now()): Promise<void> {
  const endsAt = now() + budgetMilliseconds;
  try {
    while ((await noteExpiringKeys(db)) === batchSize) if (now() >= endsAt) return;
  } catch (fault) {
    logger.warn({ fault: describeFault(fault) }, "expiring keys not noted");
  }
}

/** For a process that lives long: notes what is due every 5 s, until `stopped`. It never throws. */
export async function noteExpiringUntil(ctx: ExpiryContext, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    await noteExpiringInTime(ctx);
    await sleep(pauseMilliseconds, undefined, { ref: false, signal: stopped }).catch(() => undefined);
  }
}
