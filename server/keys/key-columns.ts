import { sql } from "drizzle-orm";

import { apiKeys, apiKeySecrets, apiKeyUsage } from "../platform/schema";

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
  Exclude<keyof typeof summaryColumns, "display" | "lastUsedAt">
> & {
  display: string;
  lastUsedAt: Date | null;
};
