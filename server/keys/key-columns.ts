import { sql } from "drizzle-orm";

import { apiKeys, apiKeySecrets, apiKeyUsage, memberships, owners } from "../platform/schema";

/**
 * Whether the person who has created an organisation's key is no longer there: has left the organisation, or has lost the account. Columns
 * of the key are named with their table, since both inner tables have a column of that name.
 */
const creatorLeft = sql<boolean>`(${apiKeys}.owner_id <> ${apiKeys}.created_by and (
  exists (
    select from ${memberships} "membership" where "membership".owner_id = ${apiKeys}.owner_id
    and "membership".user_id = ${apiKeys}.created_by and "membership".has_left
  )
  or exists (
    select from ${owners} "creator" where "creator".id = ${apiKeys}.created_by and "creator".closed_at is not null
  )
))`;

/** The columns of a key for its summary. The hash is not among them, so a row of these columns cannot leak it. */
export const summaryColumns = {
  id: apiKeys.id,
  name: apiKeys.name,
  display: sql<string>`(
    select ${apiKeySecrets.display} from ${apiKeySecrets}
    where ${apiKeySecrets.keyId} = ${apiKeys.id} and ${apiKeySecrets.state} = 'current'
  )`,
  environment: apiKeys.environment,
  scopes: apiKeys.scopes,
  createdAt: apiKeys.createdAt,
  createdBy: apiKeys.createdBy,
  creatorLeft,
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
export type SummaryRow = Pick<
  typeof apiKeys.$inferSelect,
  Exclude<keyof typeof summaryColumns, "display" | "creatorLeft" | "lastUsedAt">
> & {
  display: string;
  creatorLeft: boolean;
  lastUsedAt: Date | null;
};
