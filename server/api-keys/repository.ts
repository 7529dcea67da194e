import { eq, sql } from "drizzle-orm";

import type { Statements } from "../db/client";
import { apiKeys, apiKeyUsage, owners } from "../db/schema";

/** The columns of a key that may leave the server: by type there is no hash among them. */
export const summaryColumns = {
  id: apiKeys.id,
  name: apiKeys.name,
  display: apiKeys.display,
  environment: apiKeys.environment,
  scopes: apiKeys.scopes,
  createdAt: apiKeys.createdAt,
  expiresAt: apiKeys.expiresAt,
  revokedAt: apiKeys.revokedAt,
  revokedBy: apiKeys.revokedBy,
  effectiveAt: apiKeys.effectiveAt,
  guaranteedBy: apiKeys.guaranteedBy,
  lastUsedAt: sql<Date | null>`(
    select ${apiKeyUsage.lastUsedAt} from ${apiKeyUsage} where ${apiKeyUsage.keyId} = ${apiKeys.id}
    order by ${apiKeyUsage.hour} desc limit 1
  )`.mapWith((value: string) => new Date(value)),
};
export type SummaryRow = Pick<typeof apiKeys.$inferSelect, Exclude<keyof typeof summaryColumns, "lastUsedAt">> & {
  lastUsedAt: Date | null;
};

/**
 * The miss read: what verification needs of a key and its owner, by hash, in one statement on the primary.
 * Prepared per connection: halves the time of a lookup.
 */
export function prepareFindByHash(db: Statements) {
  return db
    .select({
      id: apiKeys.id,
      ownerId: apiKeys.ownerId,
      name: apiKeys.name,
      environment: apiKeys.environment,
      scopes: apiKeys.scopes,
      createdAt: apiKeys.createdAt,
      expiresAt: apiKeys.expiresAt,
      revokedAt: apiKeys.revokedAt,
      accessAllowed: owners.accessAllowed,
      accessUntil: owners.accessUntil,
      requestsPerMinute: owners.requestsPerMinute,
      ownerClosedAt: owners.closedAt,
    })
    .from(apiKeys)
    .innerJoin(owners, eq(owners.id, apiKeys.ownerId))
    .where(eq(apiKeys.hash, sql.placeholder("hash")))
    .prepare("latchkey_find_by_hash");
}
export type FindByHash = ReturnType<typeof prepareFindByHash>;
export type VerificationRow = Awaited<ReturnType<FindByHash["execute"]>>[number];

const idPrefix = "key_";

export const publicIdPattern = /^key_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export function toPublicId(id: string): string {
  return idPrefix + id;
}

/** The uuid in a public id that was checked against `publicIdPattern`. */
export function fromPublicId(publicId: string): string {
  return publicId.slice(idPrefix.length);
}
