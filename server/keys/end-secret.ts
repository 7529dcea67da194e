import { and, eq, ne } from "drizzle-orm";

import type { ServerContext } from "./context";
import type { Statements } from "../platform/database";
import { apiKeys, apiKeySecrets } from "../platform/schema";
import { changeAndPurge } from "../outbox/change-and-purge";
import type { Effect } from "../shared/effect";
import { DomainError } from "../shared/errors";
import { byUser, recordEvents } from "../history";
import type { Caller } from "./access";
import { fromPublicId } from "../shared/public-id";
import { summaryColumns } from "./key-columns";
import { actOfEnding, revokeSecrets } from "./replace-secrets";
import { type ApiKeySummary, summarise, toSummary } from "./summary";

type Secret = typeof apiKeySecrets.$inferSelect;

export interface EndedSecret {
  key: ApiKeySummary;
  /** How far the revocation of the secret has come. Null: there was nothing to revoke. */
  effect: Effect | null;
}

/** Whose key, and who calls. */
export type EndingCaller = Pick<Caller, "ownerId" | "canManage" | "userId" | "impersonatedBy">;

/**
 * Revokes the secret that lives beside a key's current one.
 * @param choose gets it as it is under the key's lock, and returns whether to revoke it. It may refuse.
 */
export async function endSecretBeside(
  ctx: ServerContext,
  owner: EndingCaller,
  input: { id: string },
  choose: (beside: Secret, now: Date) => boolean,
): Promise<EndedSecret> {
  const keyId = fromPublicId(input.id);
  const isKey = and(eq(apiKeys.id, keyId), eq(apiKeys.ownerId, owner.ownerId));
  const likely = await readBeside(ctx.db, keyId, isKey);
  /** An attempt before whose outcome is unknown may have revoked it. */
  let ended: Buffer | undefined;
  const { result, secretEffects } = await changeAndPurge(
    ctx,
    async (transaction, purge) => {
      const [locked] = await transaction
        .select({ id: apiKeys.id, name: apiKeys.name, revokedAt: apiKeys.revokedAt })
        .from(apiKeys)
        .where(isKey)
        .for("no key update");
      if (!locked) throw new DomainError("API_KEY_NOT_FOUND");
      const now = ctx.now();
      const beside = await readBeside(transaction, keyId, isKey);
      if (beside && !locked.revokedAt && choose(beside, now)) {
        ended = beside.hash;
        await revokeSecrets(transaction, [ended], beside.state === "previous" ? { endsAt: now } : {});
        await recordEvents(transaction, [
          { action: actOfEnding(beside), ownerId: owner.ownerId, key: locked, actor: byUser(owner) },
        ]);
      }
      const [row] = await transaction.select(summaryColumns).from(apiKeys).where(isKey);
      if (!row) throw new Error("the key is gone");
      const [summary] = ended ? [] : await summarise(transaction, [row], now);
      if (ended) await purge({ target: "revoked", hashes: [ended] });
      return { row, summary };
    },
    { bypass: likely?.state === "previous" ? [likely.hash] : [] },
  );
  const effect = ended ? (secretEffects.get(ended.toString("hex")) ?? null) : null;
  return { key: result.summary ?? toSummary(result.row, ctx.now(), null, effect), effect };
}

/** The secret that waits or that is in its grace. */
async function readBeside(
  statements: Statements,
  keyId: string,
  isKey: ReturnType<typeof and>,
): Promise<Secret | undefined> {
  const [found] = await statements
    .select({ secret: apiKeySecrets })
    .from(apiKeySecrets)
    .innerJoin(apiKeys, and(eq(apiKeys.id, apiKeySecrets.keyId), isKey))
    .where(and(eq(apiKeySecrets.keyId, keyId), ne(apiKeySecrets.state, "current"), ne(apiKeySecrets.state, "revoked")));
  return found?.secret;
}
