import { and, eq, isNull, sql } from "drizzle-orm";

import type { Statements } from "../platform/database";
import { apiKeys, apiKeySecrets } from "../platform/schema";
import { revokedColumns } from "./key-columns";

/**
 * Prepares the lookup of a key that its owner revokes: its text is made once, and Postgres plans it once for each connection.
 * @returns a statement that gives the key's columns once for each secret that a slot may hold; nothing for an unknown key and another owner's.
 */
export function prepareFindOwnKey(db: Statements) {
  return db
    .select({ ...revokedColumns, hash: apiKeySecrets.hash })
    .from(apiKeys)
    .innerJoin(apiKeySecrets, eq(apiKeySecrets.keyId, apiKeys.id))
    .where(
      and(
        eq(apiKeys.id, sql.placeholder("id")),
        eq(apiKeys.ownerId, sql.placeholder("ownerId")),
        isNull(apiKeySecrets.effectiveAt),
      ),
    )
    .prepare("latchkey_find_own_key");
}
export type FindOwnKey = ReturnType<typeof prepareFindOwnKey>;
