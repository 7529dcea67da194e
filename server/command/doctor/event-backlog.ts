import { sql } from "drizzle-orm";

import type { Statements } from "../../platform/database";

/** Events that wait to be sent, and how long the oldest of them has waited. Where there is no such table, no event is ever sent. */
export async function readEventBacklog(db: Statements): Promise<{ waiting: number; oldestSeconds: number | null }> {
  const { rowCount } = await db.execute(sql`select from pg_class where oid = to_regclass('latchkey.event_deliveries')`);
  return rowCount ? readWaiting(db) : { waiting: 0, oldestSeconds: null };
}

async function readWaiting(db: Statements) {
  const { rows } = await db.execute<{ waiting: number; age: string | null }>(sql`
    select count(*)::int as waiting, extract(epoch from clock_timestamp() - min(created_at)) as age
    from latchkey.event_deliveries where given_up_at is null`);
  const { waiting = 0, age = null } = rows[0] ?? {};
  return { waiting, oldestSeconds: age === null ? null : Math.max(0, Number(age)) };
}
