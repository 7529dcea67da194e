import { and, eq, isNull } from "drizzle-orm";

import { adoptKey } from "./adopt";
import type { ServerContext } from "./context";
import type { VerificationRow } from "./find-by-hash";
import type { Statements } from "../platform/database";
import { lockKeys } from "../platform/locks";
import { apiKeySecrets } from "../platform/schema";
import { inSpan } from "../platform/tracing";
import { changeAndPurge } from "../outbox/change-and-purge";
import { recordSecretEffects } from "../outbox/effects";
import { byKey } from "../history";
import type { Effect } from "../shared/effect";
import { toPublicId } from "../shared/public-id";
import { isWellFormedSecret } from "../shared/secret-format";
import { endSecrets, hasGraceEnded, recordEnded } from "./replace-secrets";
import { markRevoked } from "./revoke";
import { hashSecret } from "./secret";

/**
 * Lets whoever holds a secret end what was shown: with the current secret the key, with a previous or a waiting one that secret alone. Access,
 * scopes and limits do not matter, nor whether the key has expired. The secret is looked up in the database and never in the slot.
 * @returns the effect, also for a key or a secret that was revoked before. Of a previous secret whose grace is over: effective at its end.
 *   Null: no key ever had this secret.
 * @throws CommitOutcomeUnknownError when nobody knows whether it was revoked.
 * @throws ConcurrencyLimitError when too many reads of the database wait already; what the database throws. Then this call has revoked
 *   nothing.
 * @example
 * const effect = await revokeSelf(ctx, "lk_live_…");
 * if (effect === null) console.log("no key ever had this secret");
 */
export function revokeSelf(ctx: ServerContext, secret: string): Promise<Effect | null> {
  return inSpan("latchkey.revoke", async (note) => {
    note("latchkey.revoked_by", "key");
    const effect = await endShown(ctx, secret);
    if (effect) note("latchkey.effect", effect.status);
    return effect;
  });
}

async function endShown(ctx: ServerContext, secret: string): Promise<Effect | null> {
  if (!isWellFormedSecret(secret, ctx.settings.secretFormat)) return null;
  const hash = hashSecret(secret);
  const find = () => ctx.databaseReads(() => ctx.findByHash.execute({ hash }));
  let [found] = await find();
  // A key of another system that was never used here: its first use could be the one that ends it.
  if (!found && (await adoptKey(ctx, secret, hash))) [found] = await find();
  if (!found) return null;
  const keyId = found.id;
  const known = await effectOfEnded(ctx, hash, found);
  if (known) return known;
  const wasCurrent = found.state === "current";
  const { effects, secretEffects } = await changeAndPurge(
    ctx,
    async (transaction, purge) => {
      const [key] = await lockKeys(transaction, [keyId]);
      const secretAlone = key && (await findSecretAlone(transaction, key, hash, wasCurrent));
      const actor = byKey(toPublicId(keyId));
      if (secretAlone) {
        const now = ctx.now();
        // It may have ended by time while this call waited.
        if (hasGraceEnded(secretAlone, now)) await recordEnded(transaction, [hash]);
        else if (secretAlone.state !== "revoked")
          await endSecrets(transaction, [{ secret: secretAlone, key }], { now, actor });
        await purge({ target: "revoked", hashes: [hash] });
        return;
      }
      await markRevoked(transaction, [keyId], { revokedBy: "key", actor });
      await purge({ target: "revoked", keyIds: [keyId] });
    },
    { bypass: wasCurrent ? await livingHashes(ctx.db, keyId) : [hash] },
  );
  return secretEffects.get(hash.toString("hex")) ?? effects.get(keyId) ?? null;
}

/** Of a secret that was revoked alone, or that has ended by time. */
async function effectOfEnded(
  ctx: ServerContext,
  hash: Buffer,
  { state, endsAt }: VerificationRow,
): Promise<Effect | null> {
  if (state === "revoked") return (await recordSecretEffects(ctx.db, [hash], null)).get(hash.toString("hex")) ?? null;
  return endsAt && hasGraceEnded({ state, endsAt }, ctx.now()) ? { status: "effective", at: endsAt } : null;
}

/** The current secret ends the key, and with it the other secrets. */
async function livingHashes(db: Statements, keyId: string): Promise<Buffer[]> {
  const { hash, effectiveAt } = apiKeySecrets;
  const rows = await db
    .select({ hash })
    .from(apiKeySecrets)
    .where(and(eq(apiKeySecrets.keyId, keyId), isNull(effectiveAt)));
  return rows.map((row) => row.hash);
}

/**
 * @param key as it is under its lock.
 * @param wasCurrent whether it was the current secret when the call came.
 * @returns the secret where it is to end alone, as it is under the lock. Null: it is the current one, or the key is revoked.
 */
async function findSecretAlone(
  transaction: Statements,
  key: { revokedAt: Date | null },
  hash: Buffer,
  wasCurrent: boolean,
) {
  const [secret] = await transaction.select().from(apiKeySecrets).where(eq(apiKeySecrets.hash, hash));
  if (key.revokedAt || !secret || secret.state === "current") return null;
  // A retried create has replaced the current one meanwhile, not a rotation: the key is meant. A secret that waited has no end either.
  return wasCurrent && secret.state === "revoked" && secret.endsAt === null ? null : secret;
}
