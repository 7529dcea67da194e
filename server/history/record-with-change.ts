import { type SQL, sql } from "drizzle-orm";

import type { Statements } from "../platform/database";
import { apiKeys } from "../platform/schema";
import type { Actor, KeyEventAction } from "../shared/key-event";
import { recordEvent } from "./record-event";

interface EventOfKeys {
  action: KeyEventAction;
  actor: Actor;
  /** Whether the statement is going to change this key. It and the two below are evaluated on the key's row as it was before. */
  when: SQL;
  /** An expression of type jsonb. */
  detail: SQL;
  /** By default the name that the key has. */
  keyName?: SQL;
}

/**
 * Records an event for each key that a statement changes, as a part of that statement: it costs no round trip. The keys are locked first, as
 * `lockedKeyIds` does. So of two changes at once the second sees what the first has done, and records nothing that is done already.
 * @param which chooses the keys.
 * @returns `statements`: update `apiKeys` with them, where `isChosen` holds.
 * @example
 * const { statements, isChosen } = recordWithChange(transaction, which, event);
 * await statements.update(apiKeys).set({ name }).where(isChosen);
 */
export function recordWithChange(transaction: Statements, which: SQL | undefined, event: EventOfKeys) {
  const { action, actor, when, detail, keyName = sql`${apiKeys.name}` } = event;
  const locked = transaction.$with("locked").as(
    transaction
      .select({
        id: apiKeys.id,
        ownerId: apiKeys.ownerId,
        keyName: keyName.as("key_name"),
        detail: detail.as("detail"),
        isChanged: sql`${when}`.as("is_changed"),
      })
      .from(apiKeys)
      .where(which)
      .orderBy(apiKeys.id)
      .for("no key update"),
  );
  const columns = { ownerId: sql`owner_id`, keyId: sql`id`, keyName: sql`key_name`, detail: sql`detail` };
  const recorded = transaction.$with<"recorded", Record<string, never>>("recorded", {}).as(sql`
    select id, case when is_changed then ${recordEvent(action, actor, columns)} end from locked`);
  return { statements: transaction.with(locked, recorded), isChosen: sql`${apiKeys.id} in (select id from recorded)` };
}
