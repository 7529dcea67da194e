import { type SQL, sql } from "drizzle-orm";

import type { Statements } from "../platform/database";
import { apiKeys } from "../platform/schema";
import { bySystem } from "./actors";
import { actOf, insertEvents } from "./record-events";

/**
 * Two parts of a statement that records which revocations of keys are effective. `locked` locks the keys, as `lockedKeyIds` does. `recorded`
 * leaves `key.revocation_effective` for each key that the part `effective` has given its time. It must return `id` and `effective_at` of the
 * keys that it has updated. A key that had its time before leaves nothing, also when another process has given it while this one waited.
 */
export const recordEffective = {
  locked: (db: Statements, which: SQL) =>
    db
      .select({
        id: apiKeys.id,
        ownerId: apiKeys.ownerId,
        name: apiKeys.name,
        wasEffective: sql`${apiKeys.effectiveAt} is not null`.as("was_effective"),
      })
      .from(apiKeys)
      .where(which)
      .orderBy(apiKeys.id)
      .for("no key update"),
  recorded: insertEvents(sql`
    select locked.id as position, ${actOf("key.revocation_effective", bySystem)},
      locked.owner_id, locked.id as key_id, locked.name as key_name,
      jsonb_build_object('at', to_char(effective.effective_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) as detail
    from effective join locked on locked.id = effective.id
    where effective.effective_at is not null and not locked.was_effective`),
};
