import { sql } from "drizzle-orm";

import { apiKeys, apiKeySecrets, apiKeySecretUses, apiKeyUsage, memberships, owners } from "../platform/schema";

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

/** The secret of a key beside its current one, as far as a summary tells of it. Times are as JSON has them. */
export interface SecretBeside {
  state: "waiting" | "previous" | "revoked";
  display: string;
  createdAt: string;
  graceSeconds: number | null;
  endsAt: string | null;
  lastUsedAt: string | null;
}

/** The one that waits, or that is still accepted; else one that was revoked while it was, until that is effective. */
const secretBeside = sql<SecretBeside | null>`(
  select json_build_object(
    'state', secret.state, 'display', secret.display, 'createdAt', secret.created_at, 'graceSeconds', secret.grace_seconds,
    'endsAt', secret.ends_at,
    'lastUsedAt', (select used.last_used_at from ${apiKeySecretUses} used where used.secret_hash = secret.secret_hash)
  )
  from ${apiKeySecrets} secret
  where secret.key_id = ${apiKeys.id}
    and (secret.state in ('waiting', 'previous') or (secret.state = 'revoked' and secret.ends_at is not null and secret.effective_at is null))
  order by secret.state = 'revoked', secret.created_at desc limit 1
)`;

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
  rotatedAt: apiKeys.rotatedAt,
  expiresAt: apiKeys.expiresAt,
  revokedAt: apiKeys.revokedAt,
  revokedBy: apiKeys.revokedBy,
  effectiveAt: apiKeys.effectiveAt,
  guaranteedBy: apiKeys.guaranteedBy,
  beside: secretBeside,
  lastUsedAt: sql<Date | null>`(
    select ${apiKeyUsage.lastUsedAt} from ${apiKeyUsage} where ${apiKeyUsage.keyId} = ${apiKeys.id}
    order by ${apiKeyUsage.hour} desc limit 1
  )`.mapWith((value: string) => new Date(value)),
};
/** The same of a key that is being revoked: its rotation ends with it. Postgres need not plan the look for it. */
export const revokedColumns = { ...summaryColumns, beside: sql<SecretBeside | null>`null` };
export type SummaryRow = Pick<
  typeof apiKeys.$inferSelect,
  Exclude<keyof typeof summaryColumns, "display" | "creatorLeft" | "beside" | "lastUsedAt">
> & {
  display: string;
  creatorLeft: boolean;
  beside: SecretBeside | null;
  lastUsedAt: Date | null;
};
