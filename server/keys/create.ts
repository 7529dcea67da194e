import { createHash } from "node:crypto";

import { and, eq, sql } from "drizzle-orm";
import { v7 as uuidV7 } from "uuid";

import type { ServerContext } from "./context";
import type { Statements } from "../platform/database";
import { byUser, recordEvents } from "../history";
import { lockOwner } from "../platform/locks";
import { apiKeys, apiKeySecrets } from "../platform/schema";
import { DomainError } from "../shared/errors";
import { describeFault } from "../platform/logger";
import { changeAndPurge, type NamePurges } from "../outbox/change-and-purge";
import { type Caller, mayCreateKeys } from "./access";
import { isActive } from "./is-active";
import type { CreateInput } from "../shared/inputs";
import { type SummaryRow, summaryColumns } from "./key-columns";
import { statusOf } from "../shared/status";
import { type ApiKeySummary, toSummary } from "./summary";
import { hashSecret, mintSecret } from "./secret";
import { displaySecret } from "../shared/secret-format";
import type { Effect } from "../shared/effect";

const dayMilliseconds = 86_400_000;
/** How long after the creation a retry may ask for a fresh secret. */
const retryMilliseconds = 600_000;

/** For each owner. No person needs so many. A script that creates and revokes in a loop is stopped. */
const createsPerMinute = 60;

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
 * @throws DomainError IMPERSONATED; RATE_LIMITED after 60 calls a minute; API_ACCESS_REQUIRED; API_KEY_LIMIT_REACHED;
 *   API_KEY_REQUEST_REUSED for a retry with another input, too late, or of a key that was used or is no longer active.
 * @throws CommitOutcomeUnknownError when nobody knows whether the key was created.
 * @throws what the database throws otherwise. Then no key was created.
 *
 * @example
 * const input = createInput.parse({ name: "Production server", requestId: crypto.randomUUID(), expiresInDays: 90 });
 * const { key, secret } = await createApiKey(ctx, caller, input);
 */
export async function createApiKey(ctx: ServerContext, caller: Caller, input: CreateInput): Promise<CreatedApiKey> {
  if (caller.impersonatedBy !== null) throw new DomainError("IMPERSONATED");
  const state = await ctx.limits.create(caller.ownerId, createsPerMinute);
  if (state && !state.isWithin) throw new DomainError("RATE_LIMITED");
  const secret = mintSecret(ctx.settings.secretFormat);
  const hash = hashSecret(secret);
  const requestDigest = digestInput(input);
  const minted: MintedSecret = {
    hash,
    ownerId: caller.ownerId,
    display: displaySecret(secret),
    state: "current",
    requestId: input.requestId,
    requestDigest,
  };
  let attempts = 0;
  const requiresFeature = ctx.settings.accessFeature !== undefined;

  const { result: row, effects } = await changeAndPurge(ctx, async (transaction, purge) => {
    attempts++;
    const owner = await lockOwner(transaction, caller.ownerId, requiresFeature ? caller.hasAccessClaim : null);
    const [earlier] = await transaction
      .select({ row: summaryColumns, hash: apiKeySecrets.hash, requestDigest: apiKeySecrets.requestDigest })
      .from(apiKeys)
      .innerJoin(apiKeySecrets, eq(apiKeySecrets.keyId, apiKeys.id))
      .where(and(eq(apiKeySecrets.ownerId, caller.ownerId), eq(apiKeySecrets.requestId, input.requestId)))
      .for("no key update");
    if (owner.closedAt) throw new DomainError("API_ACCESS_REQUIRED", { message: "This account is closed." });
    if (!mayCreateKeys(ctx, caller, owner)) throw new DomainError("API_ACCESS_REQUIRED");
    if (earlier?.hash.equals(hash)) return earlier.row;
    // An earlier attempt of this call may have committed, and another call then replaced and revoked its secret. That hash is never
    // written again, and the other call's secret, which may be on a screen, lives on.
    if (earlier && attempts > 1) throw new DomainError("OUTCOME_UNKNOWN");
    if (earlier) {
      if (!earlier.requestDigest?.equals(requestDigest)) throw new DomainError("API_KEY_REQUEST_REUSED");
      const replacement = { ...minted, keyId: earlier.row.id, createdAt: ctx.now() };
      return replaceSecret(ctx, transaction, purge, earlier, replacement);
    }
    const active = await transaction.$count(
      apiKeys,
      and(eq(apiKeys.ownerId, caller.ownerId), isActive(apiKeys, ctx.now())),
    );
    if (active >= (owner.keyLimit ?? ctx.settings.keyLimit)) throw new DomainError("API_KEY_LIMIT_REACHED");
    const key = await insertKey(ctx, transaction, input, minted);
    await recordEvents(transaction, [{ action: "key.created", ownerId: caller.ownerId, key, actor: byUser(caller) }]);
    return key;
  });
  return { key: toSummary(row, ctx.now(), null), secret, replaced: effects.get(row.id) ?? null };
}

type SecretRow = typeof apiKeySecrets.$inferInsert;
/** A new secret's row, as far as it is known before its key is. */
type MintedSecret = Omit<SecretRow, "keyId" | "createdAt">;

async function insertKey(
  ctx: ServerContext,
  transaction: Statements,
  input: CreateInput,
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
  { row, hash }: { row: SummaryRow; hash: Buffer },
  replacement: SecretRow,
): Promise<SummaryRow> {
  const now = ctx.now();
  const isRecent = now.getTime() - row.createdAt.getTime() < retryMilliseconds;
  const isUsed = row.lastUsedAt !== null || (await wasJustVerified(ctx, hash));
  if (statusOf(row, now) !== "active" || !isRecent || isUsed) throw new DomainError("API_KEY_REQUEST_REUSED");
  await transaction
    .update(apiKeySecrets)
    .set({ state: "revoked", revokedAt: sql`clock_timestamp()`, requestId: null })
    .where(eq(apiKeySecrets.hash, hash));
  await transaction.insert(apiKeySecrets).values(replacement);
  await purge({ target: "revoked", hash });
  return { ...row, display: replacement.display };
}

/**
 * Whether the slot holds a value, so whether the key was verified in the last minute. Uses reach the database up to a minute late, so the
 * row alone does not tell. The same Redis request puts the bypass in place, as before every revocation.
 */
async function wasJustVerified(ctx: ServerContext, hash: Buffer): Promise<boolean> {
  try {
    return (await ctx.slots.bypass([hash])).includes(true);
  } catch (fault) {
    ctx.logger.warn({ fault: describeFault(fault) }, "slot not bypassed");
    return false;
  }
}

function digestInput(input: CreateInput): Buffer {
  const canonical = JSON.stringify([input.name, input.scopes ?? null, input.expiresInDays ?? null]);
  return createHash("sha256").update(canonical).digest();
}
