import { type SQL, sql } from "drizzle-orm";

const microseconds = (at: SQL) => sql`(extract(epoch from ${at}) * 1000000)::bigint`;

/**
 * The id of an event: a UUID of version 7 (RFC 9562). It begins with the time: 48 bits of milliseconds, then, in the place that section 6.2
 * (method 3) gives to it, the part of the millisecond in steps that are smaller than a microsecond. The rest is random. So ids of different
 * microseconds have the order of time, and in the same microsecond two ids differ, in no order.
 * @param at an expression of type timestamptz. It is evaluated twice.
 */
export const eventIdAt = (at: SQL) => sql`(
  lpad(to_hex(${microseconds(at)} / 1000), 12, '0')
  || '7' || lpad(to_hex(${microseconds(at)} % 1000 * 4096 / 1000), 3, '0')
  || substr(replace(gen_random_uuid()::text, '-', ''), 17)
)::uuid`;

/** No event of this moment or later has a smaller id. It counts by whole milliseconds. */
export const firstEventIdAt = (at: SQL) =>
  sql`(lpad(to_hex(${microseconds(at)} / 1000), 12, '0') || repeat('0', 20))::uuid`;
