import { type SQL, sql } from "drizzle-orm";

import type { Actor, KeyEventAction } from "../shared/key-event";

/** The key that an event is of, as expressions of SQL. */
interface EventColumns {
  ownerId: SQL;
  keyId: SQL;
  keyName: SQL;
  /** Of type jsonb. */
  detail: SQL;
}

/** The expression that records an event, by the database's clock. It is a part of the statement that makes the change. */
export const recordEvent = (action: KeyEventAction, { kind, id, impersonatedBy }: Actor, of: EventColumns) =>
  sql`latchkey.record_event(
    ${action}, ${of.ownerId}, ${of.keyId}, ${of.keyName}, ${kind}, ${id}, ${impersonatedBy ?? null}, ${of.detail}
  )`;
