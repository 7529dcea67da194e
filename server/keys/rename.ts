import { and, eq, ne, sql } from "drizzle-orm";

import type { ServerContext } from "./context";
import { byUser, recordWithChange } from "../history";
import { apiKeys } from "../platform/schema";
import { DomainError } from "../shared/errors";
import { changeAndPurge } from "../outbox/change-and-purge";
import { type Caller, requireManage } from "./access";
import { fromPublicId } from "../shared/public-id";
import { summaryColumns } from "./key-columns";
import { type ApiKeySummary, summarise } from "./summary";

/**
 * Gives the owner's key another name. A slot remembers the name, so the slot is purged with the change.
 * @param input already checked by `renameInput`.
 * @throws DomainError ORG_PERMISSION_REQUIRED; API_KEY_NOT_FOUND for an unknown id and for another owner's.
 * @throws CommitOutcomeUnknownError when nobody knows whether the name was changed.
 * @throws what the database throws otherwise. Then the name was not changed.
 * @example
 * const renamed = await renameApiKey(ctx, caller, renameInput.parse({ id: key.id, name: "Staging server" }));
 */
export async function renameApiKey(
  ctx: ServerContext,
  owner: Pick<Caller, "ownerId" | "canManage" | "userId" | "impersonatedBy">,
  input: { id: string; name: string },
): Promise<ApiKeySummary> {
  requireManage(owner);
  const isKey = and(eq(apiKeys.id, fromPublicId(input.id)), eq(apiKeys.ownerId, owner.ownerId));
  const { result } = await changeAndPurge(ctx, async (transaction, purge) => {
    const { statements, isChosen } = recordWithChange(transaction, isKey, {
      action: "key.renamed",
      actor: byUser(owner),
      when: ne(apiKeys.name, input.name),
      detail: sql`jsonb_build_object('from', ${apiKeys.name}, 'to', ${input.name}::text)`,
      keyName: sql`${input.name}::text`,
    });
    const [row] = await statements.update(apiKeys).set({ name: input.name }).where(isChosen).returning(summaryColumns);
    if (!row) throw new DomainError("API_KEY_NOT_FOUND");
    // Of a key that was revoked before. Here, since a database that fails after the commit must not be told as "nothing was changed".
    const summaries = await summarise(transaction, [row], ctx.now());
    await purge({ target: "absent", keyIds: [row.id] });
    return summaries;
  });
  const [summary] = result;
  if (!summary) throw new Error("the key was not summarised");
  return summary;
}
