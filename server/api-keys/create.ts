import { createHash } from "node:crypto";

import { and, eq, sql } from "drizzle-orm";
import { v7 as uuidV7 } from "uuid";

import type { ServerContext } from "../context";
import { CommitOutcomeUnknownError, type Statements } from "../db/client";
import { apiKeys } from "../db/schema";
import { DomainError } from "../errors";
import { describeFault } from "../logger";
import { lockOwner } from "../owners/lock";
import { enqueuePurges, type QueuedPurge } from "../purges/enqueue";
import { settlePurges } from "../purges/settle";
import { type Caller, mayCreateKeys } from "./access";
import { type Effect, pendingSince } from "./effect";
import type { CreateInput } from "./inputs";
import { isActive } from "./list";
import { type SummaryRow, summaryColumns } from "./repository";
import { allScopes } from "./scopes";
import { type ApiKeySummary, toSummary } from "./summary";
import { hashSecret, mintSecret } from "./token";
import { displaySecret } from "./token-shape";

const dayMilliseconds = 86_400_000;
/** How long after the creation a lost answer may be asked for again. */
const retryMilliseconds = 600_000;

/** Far above what a person does; a script that creates and revokes in a loop is slowed. */
const createsPerMinute = 60;

export interface CreatedApiKey {
  key: ApiKeySummary;
  /** The only time the secret leaves the server. */
  secret: string;
  /** How far the revocation of the secret that a retry replaced has come; null for a first call. */
  replaced: Effect | null;
}

/**
 * Creates a key for the caller, or gives a fresh secret to the one that the same `requestId` created when its answer was lost.
 * @throws IMPERSONATED; RATE_LIMITED; API_ACCESS_REQUIRED; API_KEY_LIMIT_REACHED; API_KEY_REQUEST_REUSED for a retry with another input, too late,
 *   or of a key that was used or is no longer active; SERVICE_UNAVAILABLE when nothing was created, or that is not known (then retry).
 */
export async function createApiKey(ctx: ServerContext, caller: Caller, input: CreateInput): Promise<CreatedApiKey> {
  if (caller.isImpersonated) throw new DomainError("IMPERSONATED");
  const state = await ctx.limits.create(caller.ownerId, createsPerMinute);
  if (state && !state.isWithin) throw new DomainError("RATE_LIMITED");
  const secret = mintSecret({ prefix: ctx.settings.API_KEY_PREFIX, environment: ctx.settings.API_KEY_ENVIRONMENT });
  const requestDigest = digestInput(input);
  const requiresFeature = ctx.settings.API_ACCESS_FEATURE !== undefined;

  const { result, committedAt } = await ctx.db
    .commit(async (transaction) => {
      const owner = await lockOwner(transaction, caller.ownerId, requiresFeature ? caller.hasAccessClaim : null);
      const [earlier] = await transaction
        .select({ ...summaryColumns, hash: apiKeys.hash, requestDigest: apiKeys.requestDigest })
        .from(apiKeys)
        .where(and(eq(apiKeys.ownerId, caller.ownerId), eq(apiKeys.requestId, input.requestId)))
        .for("no key update");
      if (owner.closedAt) throw new DomainError("API_ACCESS_REQUIRED", { message: "This account is closed." });
      if (!mayCreateKeys(ctx, caller, owner)) throw new DomainError("API_ACCESS_REQUIRED");
      if (earlier) {
        if (!earlier.requestDigest.equals(requestDigest)) throw new DomainError("API_KEY_REQUEST_REUSED");
        return replaceSecret(ctx, transaction, earlier, secret);
      }
      const active = await transaction.$count(apiKeys, isActive(caller.ownerId, ctx.now()));
      if (active >= (owner.keyLimit ?? ctx.settings.API_KEY_LIMIT)) throw new DomainError("API_KEY_LIMIT_REACHED");
      return { row: await insertKey(ctx, transaction, caller.ownerId, input, requestDigest, secret), replacing: [] };
    })
    .catch((fault: unknown) => {
      throw fault instanceof DomainError ? fault : unavailable(fault);
    });

  return {
    key: toSummary(result.row, ctx.now(), null),
    secret,
    replaced: await settleReplaced(ctx, result.replacing, committedAt),
  };
}

async function insertKey(
  ctx: ServerContext,
  transaction: Statements,
  ownerId: string,
  input: CreateInput,
  requestDigest: Buffer,
  secret: string,
): Promise<SummaryRow> {
  const createdAt = ctx.now();
  const expiresAt =
    input.expiresInDays === undefined ? null : new Date(createdAt.getTime() + input.expiresInDays * dayMilliseconds);
  const [row] = await transaction
    .insert(apiKeys)
    .values({
      id: uuidV7(),
      ownerId,
      name: input.name,
      hash: hashSecret(secret),
      display: displaySecret(secret),
      environment: ctx.settings.API_KEY_ENVIRONMENT,
      scopes: input.scopes ?? allScopes,
      requestId: input.requestId,
      requestDigest,
      createdAt,
      expiresAt,
    })
    .returning(summaryColumns);
  if (!row) throw new Error("the key was not inserted");
  return row;
}

/** A retry: the row gets the new secret's hash, and the old hash is revoked for good in the same transaction. */
async function replaceSecret(
  ctx: ServerContext,
  transaction: Statements,
  earlier: SummaryRow & { hash: Buffer },
  secret: string,
) {
  const now = ctx.now();
  const isActiveStill = !earlier.revokedAt && (!earlier.expiresAt || earlier.expiresAt > now);
  const isRecent = now.getTime() - earlier.createdAt.getTime() < retryMilliseconds;
  if (!isActiveStill || !isRecent || earlier.lastUsedAt || (await wasJustVerified(ctx, earlier.hash)))
    throw new DomainError("API_KEY_REQUEST_REUSED");
  const [row] = await transaction
    .update(apiKeys)
    .set({ hash: hashSecret(secret), display: displaySecret(secret), version: sql`${apiKeys.version} + 1` })
    .where(eq(apiKeys.id, earlier.id))
    .returning(summaryColumns);
  if (!row) throw new Error("the key is gone");
  const replacing = await enqueuePurges(transaction, [{ keyId: row.id, hash: earlier.hash, target: "revoked" }]);
  return { row, replacing };
}

/**
 * Uses are written up to a minute late, but a slot keeps its value for a minute: together they tell whether the key was ever verified.
 * The same request puts the bypass in place, as before every revocation.
 */
async function wasJustVerified(ctx: ServerContext, hash: Buffer): Promise<boolean> {
  try {
    return (await ctx.slots.bypass([hash])).includes(true);
  } catch (fault) {
    ctx.logger.warn({ fault: describeFault(fault) }, "slot not bypassed");
    return false;
  }
}

async function settleReplaced(ctx: ServerContext, replacing: QueuedPurge[], committedAt: Date): Promise<Effect | null> {
  if (replacing.length === 0) return null;
  const { confirmed } = await settlePurges(ctx, replacing, []);
  return confirmed.every(Boolean) ? { status: "effective", at: ctx.now() } : pendingSince(committedAt);
}

function digestInput(input: CreateInput): Buffer {
  const canonical = JSON.stringify([input.name, input.scopes ?? null, input.expiresInDays ?? null]);
  return createHash("sha256").update(canonical).digest();
}

function unavailable(cause: unknown): DomainError {
  const message =
    cause instanceof CommitOutcomeUnknownError
      ? "The database did not answer in time: the outcome is unknown. Try again; no second key is created."
      : "No key was created. Try again.";
  return new DomainError("SERVICE_UNAVAILABLE", { message, cause });
}
