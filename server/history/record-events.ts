import { sql } from "drizzle-orm";

import type { Statements } from "../platform/database";
import type { Actor, KeyEventAction, KeyEventDetail } from "../shared/key-event";

export interface NewEvent {
  action: KeyEventAction;
  ownerId: string;
  /** By the id in its row, and with the name at this time. Absent: it happened to the owner. */
  key?: { id: string; name: string };
  actor: Actor;
  detail?: KeyEventDetail;
}

/**
 * Records events in the transaction of the change that they tell of. So both are committed, or neither is. Their order is the order of time.
 *
 * A transaction whose outcome is unknown is repeated. So record only what this attempt has changed.
 * @throws what the database throws.
 * @example
 * await recordEvents(transaction, [{ action: "owner.reopened", ownerId, actor: byClerk }]);
 */
export async function recordEvents(transaction: Statements, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map(({ action, ownerId, key, actor, detail = {} }, position) => ({
    ...{ position, action, owner_id: ownerId, key_id: key?.id, key_name: key?.name, detail },
    ...{ actor_kind: actor.kind, actor_id: actor.id, impersonated_by: actor.impersonatedBy },
  }));
  await transaction.execute(sql`
    select latchkey.record_event(action, owner_id, key_id, key_name, actor_kind, actor_id, impersonated_by, detail)
    from (
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as event (
        position int, action text, owner_id text, key_id uuid, key_name text,
        actor_kind text, actor_id text, impersonated_by text, detail jsonb
      ) order by position
    ) as event`);
}
