import { sql } from "drizzle-orm";

import { apiKeys, apiKeyUsage } from "../platform/schema";

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
