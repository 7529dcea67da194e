import { type SQL, sql } from "drizzle-orm";

/** No event of this moment or later has a smaller id (see `latchkey.event_id` in migration 0007). It counts by whole milliseconds. */
export const firstEventIdAt = (at: SQL) =>
  sql`(lpad(to_hex((extract(epoch from ${at}) * 1000000)::bigint / 1000), 12, '0') || repeat('0', 20))::uuid`;
