import { and, eq } from "drizzle-orm";

import type { ServerContext } from "./context";
import { apiKeys } from "../platform/schema";
import { DomainError } from "../shared/errors";
import { effectsOf } from "../outbox/effects";
import { fromPublicId } from "../shared/public-id";
import { summaryColumns } from "./key-columns";
import type { Effect } from "../shared/effect";

/**
 * Looks up how far the revocation of the owner's key has come.
 * @returns the effect; null while the key is not revoked.
 * @throws DomainError API_KEY_NOT_FOUND for an unknown id and for another owner's; what the database throws.
 * @example
 * const effect = await effectOfApiKey(ctx, { ownerId: "user_1" }, { id: key.id });
 * if (effect?.status === "pending") console.log(`refused after ${effect.guaranteedBy.toISOString()} at the latest`);
 */
export async function effectOfApiKey(
  ctx: Pick<ServerContext, "db">,
  owner: { ownerId: string },
  input: { id: string },
): Promise<Effect | null> {
  const rows = await ctx.db
    .select(summaryColumns)
    .from(apiKeys)
    .where(and(eq(apiKeys.id, fromPublicId(input.id)), eq(apiKeys.ownerId, owner.ownerId)));
  const [row] = rows;
  if (!row) throw new DomainError("API_KEY_NOT_FOUND");
  const effects = await effectsOf(ctx.db, rows);
  return effects.get(row.id) ?? null;
}
