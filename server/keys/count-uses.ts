import { inArray } from "drizzle-orm";

import type { CountedUse } from "../gateway/origin-headers";
import { apiKeySecrets } from "../platform/schema";
import type { VerifyContext } from "./verify";

/** Usage is shown for 30 days. */
const oldestMilliseconds = 31 * 86_400_000;

/**
 * Counts uses that another verifier has accepted. A hash that no key has, and what is older than usage is kept, is passed over. A time in the
 * future becomes the present, since clocks differ.
 * @throws what the database throws. Then nothing was counted.
 */
export async function countUses(ctx: VerifyContext, uses: readonly CountedUse[]): Promise<void> {
  const keyIds = await keyIdsOf(ctx, uses);
  const now = ctx.now().getTime();
  for (const { hash, count, lastUsedAt } of uses) {
    const keyId = keyIds.get(hash);
    if (!keyId || lastUsedAt < now - oldestMilliseconds) continue;
    const flush = ctx.usage.record(keyId, hash, Math.min(lastUsedAt, now), count);
    if (flush) ctx.defer(flush);
  }
}

async function keyIdsOf({ db, databaseReads }: VerifyContext, uses: readonly CountedUse[]) {
  if (uses.length === 0) return new Map<string, string>();
  const hashes = [...new Set(uses.map(({ hash }) => hash))].map((hash) => Buffer.from(hash, "hex"));
  const { hash, keyId } = apiKeySecrets;
  const rows = await databaseReads(() => db.select({ hash, keyId }).from(apiKeySecrets).where(inArray(hash, hashes)));
  return new Map(rows.map((row) => [row.hash.toString("hex"), row.keyId]));
}
