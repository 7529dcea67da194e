import { and, eq, isNull, type SQL, sql } from "drizzle-orm";

import type { ServerContext } from "./context";
import type { Statements } from "../platform/database";
import { apiKeys, apiKeySecrets } from "../platform/schema";
import { inSpan } from "../platform/tracing";
import { DomainError } from "../shared/errors";
import { byUser } from "../history";
import { changeAndPurge } from "../outbox/change-and-purge";
import { afterThisAttempt, type QueuedRow, toQueue } from "../outbox/queue";
import { type Caller, requireManage } from "./access";
import type { Actor } from "../shared/key-event";
import { fromPublicId, toPublicId } from "../shared/public-id";
import type { SummaryRow } from "./key-columns";
import { type ApiKeySummary, toSummary } from "./summary";
import { type Effect, weakestEffect } from "../shared/effect";

type RevokedBy = NonNullable<SummaryRow["revokedBy"]>;
/** In whose name keys are revoked, and by whom. */
interface Revoker {
  revokedBy: RevokedBy;
  actor: Actor;
}
type RevokingContext = Pick<ServerContext, "db" | "slots" | "logger" | "metrics">;
/** What a key's row says of its revocation. */
interface Revocation {
  id: string;
  revokedAt: Date;
  revokedBy: RevokedBy;
}
interface RevokedKey extends Revocation {
  effect: Effect;
}
/** Whose keys, and who calls. */
type RevokingCaller = Pick<Caller, "ownerId" | "userId" | "canManage" | "impersonatedBy">;
/** A secret of a key that is to be revoked. */
interface FoundSecret {
  id: string;
  hash: Buffer;
}

/**
 * Revokes a key of the owner. A second call keeps the first `revokedAt` and purges again.
 * @returns the key, and from when on no verification accepts it. `effective`: none that starts after `at` accepts it. `pending`: none that
 *   starts after `guaranteedBy` accepts it.
 * @throws DomainError ORG_PERMISSION_REQUIRED; API_KEY_NOT_FOUND for an unknown id and for another owner's.
 * @throws CommitOutcomeUnknownError when nobody knows whether the key was revoked.
 * @throws what the database throws otherwise. Then this call has not revoked the key. A Redis that fails is no error: the effect is `pending`.
 * @example
 * const { effect } = await revokeApiKey(ctx, caller, { id: key.id });
 * console.log(effect.status === "effective" ? effect.at : effect.guaranteedBy);
 */
export async function revokeApiKey(
  ctx: ServerContext,
  owner: RevokingCaller,
  input: { id: string },
): Promise<{ key: ApiKeySummary; effect: Effect }> {
  requireManage(owner);
  const found = await ctx.findOwnKey.execute({ id: fromPublicId(input.id), ownerId: owner.ownerId });
  const [row] = found;
  const [revoked] = await revokeFound(ctx, found, { revokedBy: "owner", actor: byUser(owner) });
  if (!row || !revoked) throw new DomainError("API_KEY_NOT_FOUND");
  const { hash: _hash, ...summary } = row;
  const { effect, ...revocation } = revoked;
  return { key: toSummary({ ...summary, ...revocation }, ctx.now(), effect), effect };
}

/**
 * Revokes every key of the owner, expired ones too, in one transaction and with one purge request. Keys that were revoked before and are not
 * effective yet are purged again.
 * @returns the effect of each key, and the weakest of them: pending before effective, then the later time. Null: there was nothing to revoke.
 * @throws DomainError ORG_PERMISSION_REQUIRED.
 * @throws CommitOutcomeUnknownError when nobody knows whether they were revoked.
 * @throws what the database throws otherwise. Then this call has revoked none.
 * @example
 * const { keys, effect } = await revokeAllApiKeys(ctx, caller);
 * console.log(keys.length, effect?.status);
 */
export async function revokeAllApiKeys(
  ctx: ServerContext,
  owner: RevokingCaller,
): Promise<{ keys: { id: string; effect: Effect }[]; effect: Effect | null }> {
  requireManage(owner);
  const found = await findSecrets(ctx, and(eq(apiKeys.ownerId, owner.ownerId), isNull(apiKeys.effectiveAt)));
  const revoked = await revokeFound(ctx, found, { revokedBy: "owner", actor: byUser(owner) });
  const keys = revoked.map(({ id, effect }) => ({ id: toPublicId(id), effect }));
  return { keys, effect: weakestEffect(keys.map(({ effect }) => effect)) };
}

/** The secrets that a slot may hold, of the keys that `which` chooses. */
export async function findSecrets(ctx: Pick<ServerContext, "db">, which: SQL | undefined): Promise<FoundSecret[]> {
  return ctx.db
    .select({ id: apiKeys.id, hash: apiKeySecrets.hash })
    .from(apiKeys)
    .innerJoin(apiKeySecrets, eq(apiKeySecrets.keyId, apiKeys.id))
    .where(and(which, isNull(apiKeySecrets.effectiveAt)));
}

async function revokeFound(ctx: ServerContext, found: readonly FoundSecret[], revoker: Revoker) {
  if (found.length === 0) return [];
  const hashes = found.map(({ hash }) => hash);
  const keyIds = [...new Set(found.map(({ id }) => id))];
  return revokeKeys(ctx, hashes, revoker, () => Promise.resolve(keyIds));
}

/**
 * Revokes keys. Every revocation goes through here; only a secret alone is revoked elsewhere: by a retry, a rotation or itself.
 * @param likelyHashes the hashes to bypass before the commit. They may be out of date, since the bypass only helps.
 * @param chooseIds chooses the keys to revoke, as the first step of the transaction. It may lock and change more. It must be idempotent.
 * @throws what `changeAndPurge` throws.
 */
export function revokeKeys(
  ctx: RevokingContext,
  likelyHashes: readonly Buffer[],
  revoker: Revoker,
  chooseIds: (transaction: Statements) => Promise<readonly string[]>,
): Promise<RevokedKey[]> {
  return inSpan("latchkey.revoke", async (note) => {
    note("latchkey.revoked_by", revoker.revokedBy);
    const revoked = await revokeChosen(ctx, likelyHashes, revoker, chooseIds);
    const [first] = revoked;
    note("latchkey.key_count", revoked.length);
    if (first && revoked.length === 1) note("latchkey.key_id", toPublicId(first.id));
    const effect = weakestEffect(revoked.map((key) => key.effect));
    if (effect) note("latchkey.effect", effect.status);
    return revoked;
  });
}

async function revokeChosen(
  ctx: RevokingContext,
  likelyHashes: readonly Buffer[],
  revoker: Revoker,
  chooseIds: (transaction: Statements) => Promise<readonly string[]>,
): Promise<RevokedKey[]> {
  const { result: rows, effects } = await changeAndPurge(
    ctx,
    async (transaction, purge) => {
      const { revoked, queue } = await revokeAndQueue(transaction, await chooseIds(transaction), revoker);
      await purge(queue);
      return revoked;
    },
    { bypass: likelyHashes },
  );
  return rows.flatMap((row) => {
    const effect = effects.get(row.id);
    return effect ? [{ ...row, effect }] : [];
  });
}

/** Marks keys as revoked, as a part of a change. The caller names their purges. */
export async function markRevoked(transaction: Statements, ids: readonly string[], revoker: Revoker): Promise<void> {
  if (ids.length > 0) await transaction.execute(sql`select latchkey.mark_revoked(${revocationOf(ids, revoker)})`);
}

/** Marks keys as revoked and queues the purges of every secret that they have under the lock, in one statement. */
async function revokeAndQueue(transaction: Statements, ids: readonly string[], revoker: Revoker) {
  if (ids.length === 0) return { revoked: [], queue: toQueue([]) };
  const { rows } = await transaction.execute<QueuedRow & { revoked_at: string; revoked_by: RevokedBy }>(
    sql`select * from latchkey.revoke_keys(${revocationOf(ids, revoker)}, ${afterThisAttempt})`,
  );
  const revoked = rows.map((row): [string, Revocation] => [
    row.key_id,
    { id: row.key_id, revokedAt: new Date(row.revoked_at), revokedBy: row.revoked_by },
  ]);
  return { revoked: [...new Map(revoked).values()], queue: toQueue(rows) };
}

const revocationOf = (ids: readonly string[], { revokedBy, actor }: Revoker) =>
  sql`${sql.param([...ids])}::uuid[], ${revokedBy}, ${actor.kind}, ${actor.id}, ${actor.impersonatedBy ?? null}`;
