import { and, eq, sql } from "drizzle-orm";

import type { ServerContext } from "../context";
import { commitUntilKnown } from "../db/commit-until-known";
import { apiKeys } from "../db/schema";
import { DomainError } from "../errors";
import { enqueuePurges } from "../purges/enqueue";
import { settlePurges } from "../purges/settle";
import { effectsOf } from "./effect";
import { fromPublicId, summaryColumns } from "./repository";
import { type ApiKeySummary, toSummary } from "./summary";

/**
 * Gives the owner's key another name. The name is part of what a slot remembers, so the slot is purged to absent.
 * @throws API_KEY_NOT_FOUND for a foreign or unknown id; SERVICE_UNAVAILABLE when nothing was changed, or that is not known.
 */
export async function renameApiKey(
  ctx: ServerContext,
  owner: { ownerId: string },
  input: { id: string; name: string },
): Promise<ApiKeySummary> {
  const { result } = await commitUntilKnown(ctx, async (transaction) => {
    const [renamed] = await transaction
      .update(apiKeys)
      .set({ name: input.name, version: sql`${apiKeys.version} + 1` })
      .where(and(eq(apiKeys.id, fromPublicId(input.id)), eq(apiKeys.ownerId, owner.ownerId)))
      .returning({ ...summaryColumns, hash: apiKeys.hash });
    if (!renamed) throw new DomainError("API_KEY_NOT_FOUND");
    const { hash, ...row } = renamed;
    return { row, purges: await enqueuePurges(transaction, [{ keyId: row.id, hash, target: "absent" }]) };
  });
  await settlePurges(ctx, result.purges, []);
  const effects = await effectsOf(ctx.db, [result.row]);
  return toSummary(result.row, ctx.now(), effects.get(result.row.id) ?? null);
}
