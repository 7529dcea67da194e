import { sql } from "drizzle-orm";

import type { Backlog } from "../../outbox/queue";
import type { Statements } from "../../platform/database";

/** How many events wait to be sent, and for how long the oldest has. Where there is no such table, no event is ever sent. */
export async function readEventBacklog(db: Statements): Promise<Backlog> {
  const { rowCount } = await db.execute(sql`select from pg_class where oid = to_regclass('latchkey.event_deliveries')`);
  return rowCount ? readWaiting(db) : { count: 0, oldestSeconds: null };
}

async function readWaiting(db: Statements): Promise<Backlog> {
  const { rows } = await db.execute<{ count: string; age: string | null }>(sql`
    select count(*) as count, extract(epoch from clock_timestamp() - min(created_at)) as age from latchkey.event_deliveries`);
  const [row] = rows;
  const age = row?.age ?? null;
  return { count: Number(row?.count ?? 0), oldestSeconds: age === null ? null : Math.max(0, Number(age)) };
}
