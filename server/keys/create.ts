import { and, eq } from "drizzle-orm";
import { v7 as uuidV7 } from "uuid";

import type { ServerContext } from "./context";
import type { Statements } from "../platform/database";
import { byUser, recordEvents } from "../history";
import { lockOwner } from "../platform/locks";
import { apiKeys, apiKeySecrets } from "../platform/schema";
import { DomainError } from "../shared/errors";
import { changeAndPurge, type NamePurges } from "../outbox/change-and-purge";
import { type Caller, limitSecrets, requireAccess, requireManage } from "./access";
import { requireMember } from "./require-member";
import { isActive } from "./is-active";
import {
  bypassAndFindVerified,
  digestInput,
  isKnownAsVerified,
  keepingVerified,
  retryMilliseconds,
  revokeSecrets,
} from "./replace-secrets";
import type { CreateInput } from "../shared/inputs";
import { type SummaryRow, summaryColumns } from "./key-columns";
import { statusOf } from "../shared/status";
import { type ApiKeySummary, toSummary } from "./summary";
import { hashSecret, mintSecret } from "./secret";
import { displaySecret } from "../shared/secret-format";
import type { Effect } from "../shared/effect";

const dayMilliseconds = 86_400_000;

export interface CreatedApiKey {
  key: ApiKeySummary;
  /** The only time the secret leaves the server. */
  secret: string;
  /** How far the revocation of the replaced secret has come, after a retry. Null for a first call. */
  replaced: Effect | null;
}

/**
 * Creates a key for the caller. The secret is in this answer and never in another one.
 *
 * When the answer is lost, call again with the same `requestId` and input. Within 10 minutes, and while the key is active and unused, the key
 * gets a fresh secret and the lost one is revoked. So a retry never makes a second key.
 *
 * @param input already checked by `createInput`. `expiresInDays` is in days of 24 hours; absent: the key never expires. Without `scopes`
 *   the key gets all of them.
 * @throws DomainError IMPERSONATED; RATE_LIMITED after 60 calls a minute; ORG_PERMISSION_REQUIRED; API_ACCESS_REQUIRED; API_KEY_LIMIT_REACHED;
 *   API_KEY_REQUEST_REUSED for a retry with another input, too late, or of a key that was used or is no longer active.
 * @throws CommitOutcomeUnknownError when nobody knows whether the key was created.
 * @throws what the database throws otherwise. Then no key was created.
 *
 * @example
 * const input = createInput.parse({ name: "Production server", requestId: crypto.randomUUID(), expiresInDays: 90 });
 * const { key, secret } = await createApiKey(ctx, caller, input);
 */
export async function createApiKey(ctx: ServerContext, caller: Caller, input: CreateInput): Promise<CreatedApiKey> {
  await limitSecrets(ctx, caller);
  requireManage(caller);
  const secret = mintSecret(ctx.settings.secretFormat);
  const hash = hashSecret(secret);
  const requestDigest = digestInput([input.name, input.scopes ?? null, input.expiresInDays ?? null]);
  const minted: MintedSecret = {
    hash,
    ownerId: caller.ownerId,
    display: displaySecret(secret),
    state: "current",
    requestId: input.requestId,
    requestDigest,
  };
  let attempts = 0;
  /** Which secrets were verified just before this call's bypass, by hash in hexadecimal. */
  const verified = new Set<string>();
  const requiresFeature = ctx.settings.accessFeature !== undefined;

  const change: Parameters<typeof changeAndPurge<SummaryRow>>[1] = async (transaction, purge) => {
    attempts++;
    const owner = await lockOwner(transaction, caller.ownerId, requiresFeature ? caller.hasAccessClaim : null);
    if (caller.ownerKind === "organization") await requireMember(transaction, caller);
    const [earlier] = await transaction
      .select({
        row: summaryColumns,
        hash: apiKeySecrets.hash,
        state: apiKeySecrets.state,
        requestDigest: apiKeySecrets.requestDigest,
      })
      .from(apiKeys)
      .innerJoin(apiKeySecrets, eq(apiKeySecrets.keyId, apiKeys.id))
      .where(and(eq(apiKeySecrets.ownerId, caller.ownerId), eq(apiKeySecrets.requestId, input.requestId)))
      .for("no key update");
    requireAccess(ctx, caller, owner);
    if (earlier?.hash.equals(hash) && earlier.state === "current") return earlier.row;
    // An earlier attempt of this call may have committed, and another call then replaced and revoked its secret. That hash is never
    // written again, and the other call's secret, which may be on a screen, lives on.
    if (earlier && attempts > 1) throw new DomainError("OUTCOME_UNKNOWN");
    if (earlier) {
      const isSameCall = earlier.requestDigest?.equals(requestDigest) && earlier.row.createdBy === caller.userId;
      if (!isSameCall) throw new DomainError("API_KEY_REQUEST_REUSED");
      const replacement = { ...minted, keyId: earlier.row.id, createdAt: ctx.now() };
      return replaceSecret(ctx, transaction, purge, earlier, replacement, verified);
    }
    const active = await transaction.$count(
      apiKeys,
      and(eq(apiKeys.ownerId, caller.ownerId), isActive(apiKeys, ctx.now())),
    );
    if (active >= (owner.keyLimit ?? ctx.settings.keyLimit)) throw new DomainError("API_KEY_LIMIT_REACHED");
    const key = await insertKey(ctx, transaction, { ...input, createdBy: caller.userId }, minted);
    await recordEvents(transaction, [{ action: "key.created", ownerId: caller.ownerId, key, actor: byUser(caller) }]);
    return key;
  };
  const { result: row, effects } = await keepingVerified(ctx, verified, () => changeAndPurge(ctx, change));
  return { key: toSummary(row, ctx.now(), null), secret, replaced: effects.get(row.id) ?? null };
}

type SecretRow = typeof apiKeySecrets.$inferInsert;
/** A new secret's row, as far as it is known before its key is. */
type MintedSecret = Omit<SecretRow, "keyId" | "createdAt">;

async function insertKey(
  ctx: ServerContext,
  transaction: Statements,
  input: CreateInput & { createdBy: string },
  minted: MintedSecret,
): Promise<SummaryRow> {
  const createdAt = ctx.now();
  const expiresAt =
    input.expiresInDays === undefined ? null : new Date(createdAt.getTime() + input.expiresInDays * dayMilliseconds);
  const [row] = await transaction
    .insert(apiKeys)
    .values({
      id: uuidV7(),
      ownerId: minted.ownerId,
      createdBy: input.createdBy,
      name: input.name,
      environment: ctx.settings.secretFormat.environment,
      scopes: input.scopes ?? [...ctx.settings.scopes],
      createdAt,
      expiresAt,
    })
    .returning(summaryColumns);
  if (!row) throw new Error("the key was not inserted");
  await transaction.insert(apiKeySecrets).values({ ...minted, keyId: row.id, createdAt });
  // When the key's row was written it had no secret to show yet.
  return { ...row, display: minted.display };
}

/** For a retry: the key gets a new current secret. The same transaction revokes the old one for good, which stays known by its hash. */
async function replaceSecret(
  ctx: ServerContext,
  transaction: Statements,
  purge: NamePurges,
  { row, hash, state }: Pick<typeof apiKeySecrets.$inferSelect, "hash" | "state"> & { row: SummaryRow },
  replacement: SecretRow,
  verified: Set<string>,
): Promise<SummaryRow> {
  const now = ctx.now();
  const isRecent = now.getTime() - row.createdAt.getTime() < retryMilliseconds;
  // A rotation has taken its place, or has revoked it: there is nothing left to replace.
  const isRotated = state !== "current";
  if (isRotated || statusOf(row, now) !== "active" || !isRecent) throw new DomainError("API_KEY_REQUEST_REUSED");
  const isKnownAsUsed = row.lastUsedAt !== null || (await isKnownAsVerified(transaction, hash));
  if (isKnownAsUsed) throw new DomainError("API_KEY_REQUEST_REUSED");
  for (const hex of await bypassAndFindVerified(ctx, [hash])) verified.add(hex);
  if (verified.has(hash.toString("hex"))) throw new DomainError("API_KEY_REQUEST_REUSED");
  await revokeSecrets(transaction, [hash], { requestId: null });
  await transaction.insert(apiKeySecrets).values(replacement);
  await purge({ target: "revoked", hashes: [hash] });
  return { ...row, display: replacement.display };
}
