import { and, eq, gte } from "drizzle-orm";

import type { ServerContext } from "./context";
import { apiKeys, apiKeyUsage } from "../platform/schema";
import { DomainError } from "../shared/errors";
import { fromPublicId } from "../shared/public-id";

const hourMilliseconds = 3_600_000;
const dayMilliseconds = 24 * hourMilliseconds;

/** How many uses there were in the hour or the day (UTC) that begins at `start`. */
interface UsageBucket {
  start: Date;
  count: number;
}

export interface ApiKeyUsage {
  last24Hours: UsageBucket[];
  last30Days: UsageBucket[];
}

/**
 * Counts how often the owner's key was accepted, for each of the last 24 hours and the last 30 days (UTC). The oldest comes first, and the
 * current hour and day are included. The counts are at most a minute behind.
 * @throws DomainError API_KEY_NOT_FOUND for an unknown id and for another owner's; what the database throws.
 * @example
 * const { last24Hours } = await usageOfApiKey(ctx, { ownerId: "user_1" }, { id: key.id });
 * const total = last24Hours.reduce((sum, { count }) => sum + count, 0);
 */
export async function usageOfApiKey(
  ctx: Pick<ServerContext, "db" | "now">,
  owner: { ownerId: string },
  input: { id: string },
): Promise<ApiKeyUsage> {
  const id = fromPublicId(input.id);
  const now = ctx.now().getTime();
  const lastHour = now - (now % hourMilliseconds);
  const lastDay = now - (now % dayMilliseconds);
  const firstDay = lastDay - 29 * dayMilliseconds;
  // One statement checks the owner and reads the counts. A key without uses still gives one row, so no row means: no such key.
  const rows = await ctx.db
    .select({ hour: apiKeyUsage.hour, count: apiKeyUsage.count })
    .from(apiKeys)
    .leftJoin(apiKeyUsage, and(eq(apiKeyUsage.keyId, apiKeys.id), gte(apiKeyUsage.hour, new Date(firstDay))))
    .where(and(eq(apiKeys.id, id), eq(apiKeys.ownerId, owner.ownerId)));
  if (rows.length === 0) throw new DomainError("API_KEY_NOT_FOUND");

  const bucketsOf = (first: number, count: number, length: number): UsageBucket[] =>
    Array.from({ length: count }, (_, at) => {
      const start = first + at * length;
      const uses = rows.filter(({ hour }) => hour && hour.getTime() >= start && hour.getTime() < start + length);
      return { start: new Date(start), count: uses.reduce((sum, row) => sum + (row.count ?? 0), 0) };
    });
  return {
    last24Hours: bucketsOf(lastHour - 23 * hourMilliseconds, 24, hourMilliseconds),
    last30Days: bucketsOf(firstDay, 30, dayMilliseconds),
  };
}
