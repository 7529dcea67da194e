import { eq, sql } from "drizzle-orm";

import type { Statements } from "../platform/database";
import { apiKeys, apiKeySecrets, owners } from "../platform/schema";

/**
 * What a verification reads when the slot has no answer: a key and its owner, by the hash of any secret that the key ever had, in one
 * statement on the primary. `revokedAt` is of the secret or of the key: each ends the secret. The statement is prepared once for each connection, which halves the time of a lookup.
 */
export function prepareFindByHash(db: Statements) {
  return db
    .select({
      id: apiKeys.id,
      ownerId: apiKeys.ownerId,
      createdBy: apiKeys.createdBy,
      name: apiKeys.name,
      environment: apiKeys.environment,
      scopes: apiKeys.scopes,
      createdAt: apiKeys.createdAt,
      expiresAt: apiKeys.expiresAt,
      state: apiKeySecrets.state,
      endsAt: apiKeySecrets.endsAt,
      revokedAt: sql`coalesce(${apiKeySecrets.revokedAt}, ${apiKeys.revokedAt})`.mapWith(
        (value: string): Date | null => new Date(value),
      ),
      accessAllowed: owners.accessAllowed,
      accessUntil: owners.accessUntil,
      requestsPerMinute: owners.requestsPerMinute,
      ownerClosedAt: owners.closedAt,
    })
    .from(apiKeySecrets)
    .innerJoin(apiKeys, eq(apiKeys.id, apiKeySecrets.keyId))
    .innerJoin(owners, eq(owners.id, apiKeys.ownerId))
    .where(eq(apiKeySecrets.hash, sql.placeholder("hash")))
    .prepare("latchkey_find_by_hash");
}
export type FindByHash = ReturnType<typeof prepareFindByHash>;
export type VerificationRow = Awaited<ReturnType<FindByHash["execute"]>>[number];
