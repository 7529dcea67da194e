import { and, eq, ne } from "drizzle-orm";

import type { ServerContext } from "./context";
import type { Statements } from "../platform/database";
import { apiKeys, apiKeySecrets } from "../platform/schema";
import { changeAndPurge } from "../outbox/change-and-purge";
import type { Effect } from "../shared/effect";
import { DomainError } from "../shared/errors";
import { byUser } from "../history";
import type { Caller } from "./access";
import { fromPublicId } from "../shared/public-id";
import { summaryColumns } from "./key-columns";
import { endSecrets } from "./replace-secrets";
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
  /** What the first attempt has chosen. Its outcome may be unknown. A repeated attempt finishes that, and never chooses another secret. */
  let chosen: Buffer | undefined;
  let ended: Buffer | undefined;
  const { result, effects, secretEffects } = await changeAndPurge(
    ctx,
    async (transaction, purge) => {
      const [locked] = await transaction
        .select({ id: apiKeys.id, name: apiKeys.name, ownerId: apiKeys.ownerId, revokedAt: apiKeys.revokedAt })
        .from(apiKeys)
        .where(isKey)
        .for("no key update");
      if (!locked) throw new DomainError("API_KEY_NOT_FOUND");
      const now = ctx.now();
      const beside = await (chosen ? readSecret(transaction, chosen) : readBeside(transaction, keyId, isKey));
      ended = beside?.state === "revoked" ? beside.hash : undefined;
      if (beside && isBeside(beside) && !locked.revokedAt && choose(beside, now)) {
        chosen = ended = beside.hash;
        await endSecrets(transaction, [{ secret: beside, key: locked }], { now, actor: byUser(owner) });
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
  // Where the whole key was revoked meanwhile, its effect is that of each of its secrets.
  const ofKey = result.row.revokedAt ? (effects.get(keyId) ?? null) : null;
  const key = result.summary ?? toSummary(result.row, ctx.now(), ofKey, effect);
  return { key, effect: ended ? (effect ?? ofKey) : null };
}

const isBeside = ({ state }: Secret) => state === "waiting" || state === "previous";

async function readSecret(statements: Statements, hash: Buffer): Promise<Secret | undefined> {
  const [secret] = await statements.select().from(apiKeySecrets).where(eq(apiKeySecrets.hash, hash));
  return secret;
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
