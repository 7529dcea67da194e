import { and, eq, ne, or } from "drizzle-orm";

import type { ServerContext } from "./context";
import type { Statements } from "../platform/database";
import { lockOwner } from "../platform/locks";
import { apiKeys, apiKeySecrets } from "../platform/schema";
import { changeAndPurge } from "../outbox/change-and-purge";
import { byUser, type NewEvent, recordEvents } from "../history";
import { weakestEffect } from "../shared/effect";
import { DomainError } from "../shared/errors";
import type { RotateInput } from "../shared/inputs";
import { fromPublicId } from "../shared/public-id";
import { displaySecret } from "../shared/secret-format";
import { statusOf } from "../shared/status";
import { type Caller, limitSecrets, requireAccess, requireManage } from "./access";
import type { CreatedApiKey } from "./create";
import { type SummaryRow, summaryColumns } from "./key-columns";
import {
  actOfEnding,
  digestInput,
  hasGraceEnded,
  isKnownAsVerified,
  keepingVerified,
  recordEnded,
  bypassAndFindVerified,
  retryMilliseconds,
  revokeSecrets,
} from "./replace-secrets";
import { requireMember } from "./require-member";
import { hashSecret, mintSecret } from "./secret";
import { toSummary } from "./summary";

type SecretRow = typeof apiKeySecrets.$inferSelect;

/**
 * Gives a key a new secret. Its id, name, permissions and expiry stay.
 *
 * With a grace the new secret waits: the old one works on until the new one is first accepted, and then for `graceSeconds` more. A secret that
 * waits already is replaced for good. Without a grace (0, for a leak) the new secret is valid at once, and every older one is revoked.
 *
 * When the answer is lost, call again with the same `requestId` and input. Within 10 minutes, and while the new secret is unused, another one
 * takes its place.
 *
 * @param input already checked by `rotateInput`.
 * @returns `replaced`: the weakest effect of all secrets that died. Null: none did.
 * @throws DomainError IMPERSONATED; RATE_LIMITED after 60 creations and rotations a minute; ORG_PERMISSION_REQUIRED; API_KEY_NOT_FOUND;
 *   API_ACCESS_REQUIRED; API_KEY_NOT_ACTIVE; API_KEY_REQUEST_REUSED, as for `createApiKey`, also for another key or by another person;
 *   API_KEY_ROTATING with a grace while another grace runs.
 * @throws CommitOutcomeUnknownError when nobody knows whether the key was rotated.
 * @throws what the database throws otherwise. Then nothing was changed.
 *
 * @example
 * const input = rotateInput.parse({ id: key.id, requestId: crypto.randomUUID(), graceSeconds: 86_400 });
 * const { secret } = await rotateApiKey(ctx, caller, input);
 */
export async function rotateApiKey(ctx: ServerContext, caller: Caller, input: RotateInput): Promise<CreatedApiKey> {
  await limitSecrets(ctx, caller);
  requireManage(caller);
  const secret = mintSecret(ctx.settings.secretFormat);
  const rotation: Rotation = {
    keyId: fromPublicId(input.id),
    ownerId: caller.ownerId,
    hash: hashSecret(secret),
    display: displaySecret(secret),
    requestId: input.requestId.toLowerCase(),
    // With the person: an answer that was lost is given to nobody else of the organisation.
    requestDigest: digestInput(["rotate", input.id, input.graceSeconds, caller.userId]),
    graceSeconds: input.graceSeconds,
  };
  const requiresFeature = ctx.settings.accessFeature !== undefined;
  /** What this call's attempts have seen and done. The outcome of an attempt may be unknown. */
  const progress: Progress = { verified: new Set(), died: [], isRepeated: false };

  const change: Parameters<typeof changeAndPurge<SummaryRow>>[1] = async (transaction, purge) => {
    const owner = await lockOwner(transaction, caller.ownerId, requiresFeature ? caller.hasAccessClaim : null);
    if (caller.ownerKind === "organization") await requireMember(transaction, caller);
    const key = await lockKey(transaction, rotation);
    requireAccess(ctx, caller, owner);
    const secrets = await readSecrets(transaction, rotation);
    const own = secrets.find(({ hash }) => hash.equals(rotation.hash));
    // An earlier attempt of this call has committed. Where another call then replaced its secret, that hash is never written again.
    // The same where the key was revoked since.
    if (own?.state === "revoked" || (own && key.revokedAt)) throw new DomainError("OUTCOME_UNKNOWN");
    if (!own) {
      if (statusOf(key, ctx.now()) !== "active") throw new DomainError("API_KEY_NOT_ACTIVE");
      progress.died = await replaceSecrets(ctx, transaction, rotation, secrets, progress);
      if (!progress.isRepeated)
        await recordEvents(
          transaction,
          actsOf(rotation, progress.died, ctx.now()).map((act) => ({ ...act, ...of(caller, key) })),
        );
    }
    if (progress.died.length > 0) await purge({ target: "revoked", hashes: progress.died.map(({ hash }) => hash) });
    return readKey(transaction, rotation);
  };
  const { result: row, secretEffects } = await keepingVerified(ctx, progress.verified, () =>
    changeAndPurge(ctx, change),
  );

  // Without a grace, or repeated, every secret that died before counts, too: the answer that told of it may be lost.
  const told = rotation.graceSeconds === 0 || progress.isRepeated ? null : progress.died.filter(isWaiting);
  const effects = told?.map(({ hash }) => secretEffects.get(hash.toString("hex"))) ?? [...secretEffects.values()];
  const replaced = weakestEffect(effects.filter((effect) => effect !== undefined));
  return { key: toSummary(row, ctx.now(), null, replaced), secret, replaced };
}

const of = (caller: Caller, key: SummaryRow) => ({ ownerId: caller.ownerId, key, actor: byUser(caller) });

/** What the history says of a rotation. To replace a secret that waits is to start another one. */
function actsOf(
  { graceSeconds }: Rotation,
  died: readonly SecretRow[],
  now: Date,
): Pick<NewEvent, "action" | "detail">[] {
  if (graceSeconds > 0) return [{ action: "key.rotation_started", detail: { graceSeconds } }];
  const ended = died.filter((secret) => secret.state !== "current" && !hasGraceEnded(secret, now));
  return [
    ...ended.map((secret) => ({ action: actOfEnding(secret) })),
    { action: "key.rotated", detail: { endsAt: now.toISOString() } },
  ];
}

interface Rotation extends Pick<SecretRow, "keyId" | "ownerId" | "hash" | "display"> {
  requestId: string;
  requestDigest: Buffer;
  graceSeconds: number;
}

interface Progress {
  /** Which secrets were verified just before this call's bypass, by hash in hexadecimal. */
  verified: Set<string>;
  /** The secrets that the last attempt has revoked, as they were before. */
  died: SecretRow[];
  isRepeated: boolean;
}

const isWaiting = ({ state }: SecretRow) => state === "waiting";

/** @throws DomainError API_KEY_NOT_FOUND. */
async function lockKey(transaction: Statements, rotation: Rotation): Promise<SummaryRow> {
  const [key] = await transaction.select(summaryColumns).from(apiKeys).where(isKeyOf(rotation)).for("no key update");
  if (!key) throw new DomainError("API_KEY_NOT_FOUND");
  return key;
}

async function readKey(transaction: Statements, rotation: Rotation): Promise<SummaryRow> {
  const [key] = await transaction.select(summaryColumns).from(apiKeys).where(isKeyOf(rotation));
  if (!key) throw new Error("the key is gone");
  return key;
}

const isKeyOf = ({ keyId, ownerId }: Rotation) => and(eq(apiKeys.id, keyId), eq(apiKeys.ownerId, ownerId));

/** The key's living secrets, the one of this request whatever became of it, and the one that an earlier attempt of this call made. */
function readSecrets(transaction: Statements, { keyId, ownerId, requestId, hash }: Rotation): Promise<SecretRow[]> {
  const isLiving = and(eq(apiKeySecrets.keyId, keyId), ne(apiKeySecrets.state, "revoked"));
  const isOfRequest = and(eq(apiKeySecrets.ownerId, ownerId), eq(apiKeySecrets.requestId, requestId));
  return transaction
    .select()
    .from(apiKeySecrets)
    .where(or(isLiving, isOfRequest, eq(apiKeySecrets.hash, hash)));
}

/** Puts the new secret in its place. @returns the secrets that were revoked for it, as they were before. */
async function replaceSecrets(
  ctx: ServerContext,
  transaction: Statements,
  rotation: Rotation,
  secrets: readonly SecretRow[],
  progress: Progress,
): Promise<SecretRow[]> {
  const { requestId, graceSeconds, keyId } = rotation;
  const now = ctx.now();
  const earlier = secrets.find((secret) => secret.requestId === requestId);
  progress.isRepeated = earlier !== undefined;
  const living = secrets.filter((secret) => secret.keyId === keyId && secret.state !== "revoked");
  const dying = earlier ? [earlier] : chooseDying(living, graceSeconds, now);
  if (earlier && !isRepeatable(earlier, rotation, now)) throw new DomainError("API_KEY_REQUEST_REUSED");
  // A waiting secret is in no slot.
  const cached = dying.filter((secret) => !isWaiting(secret)).map(({ hash }) => hash);
  for (const hex of await bypassAndFindVerified(ctx, cached)) progress.verified.add(hex);
  const isSeen = earlier && progress.verified.has(earlier.hash.toString("hex"));
  if (isSeen || (earlier && (await isKnownAsVerified(transaction, earlier.hash))))
    throw new DomainError("API_KEY_REQUEST_REUSED");

  await revokeDying(transaction, dying, earlier, now);
  const isNow = graceSeconds === 0;
  const requestedAt = earlier?.requestedAt ?? now;
  const state = isNow ? "current" : "waiting";
  await transaction.insert(apiKeySecrets).values({ ...rotation, state, requestedAt, createdAt: now });
  if (isNow) await transaction.update(apiKeys).set({ rotatedAt: now }).where(eq(apiKeys.id, keyId));
  return dying;
}

/** @throws DomainError API_KEY_ROTATING while a grace runs, unless the rotation has none itself. */
function chooseDying(living: readonly SecretRow[], graceSeconds: number, now: Date): SecretRow[] {
  if (graceSeconds === 0) return [...living];
  const beside = living.filter(({ state }) => state !== "current");
  if (beside.some((secret) => secret.state === "previous" && !hasGraceEnded(secret, now)))
    throw new DomainError("API_KEY_ROTATING");
  return beside;
}

/** A planned rotation's secret that is current was verified: it waited before. */
function isRepeatable(earlier: SecretRow, { requestDigest, graceSeconds }: Rotation, now: Date): boolean {
  const isSame = earlier.requestDigest?.equals(requestDigest) ?? false;
  const isRecent = earlier.requestedAt !== null && now.getTime() - earlier.requestedAt.getTime() < retryMilliseconds;
  return isSame && isRecent && earlier.state === (graceSeconds === 0 ? "current" : "waiting");
}

async function revokeDying(
  transaction: Statements,
  dying: readonly SecretRow[],
  earlier: SecretRow | undefined,
  now: Date,
): Promise<void> {
  const hashes = (which: (secret: SecretRow) => boolean) => dying.filter(which).map(({ hash }) => hash);
  if (earlier) return revokeSecrets(transaction, [earlier.hash], { requestId: null });
  await recordEnded(
    transaction,
    hashes((secret) => hasGraceEnded(secret, now)),
  );
  await revokeSecrets(transaction, hashes(isWaiting));
  // Their end is now, which the summary tells until Redis has confirmed it.
  const isAccepted = (secret: SecretRow) => !isWaiting(secret) && !hasGraceEnded(secret, now);
  await revokeSecrets(transaction, hashes(isAccepted), { endsAt: now });
}
