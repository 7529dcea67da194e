import { createHash } from "node:crypto";

import { eq, inArray, sql } from "drizzle-orm";

import type { ServerContext } from "./context";
import type { Statements } from "../platform/database";
import { recordEvents } from "../history";
import { describeFault } from "../platform/logger";
import { apiKeySecrets, apiKeySecretUses } from "../platform/schema";
import { DomainError } from "../shared/errors";
import type { Actor } from "../shared/key-event";
import { hasEnded } from "../shared/status";

type Secret = typeof apiKeySecrets.$inferSelect;

/** How long after a request's first time a repeated one may ask for a fresh secret. */
export const retryMilliseconds = 600_000;

/** Tells whether a repeated request has the same input. The inputs of two procedures must differ in their form. */
export function digestInput(input: readonly unknown[]): Buffer {
  return createHash("sha256").update(JSON.stringify(input)).digest();
}

/** Revokes secrets alone and for good; their key lives. The caller has locked the key, and names their purges. */
export async function revokeSecrets(
  transaction: Statements,
  hashes: readonly Buffer[],
  also: Partial<Pick<Secret, "endsAt" | "requestId">> = {},
): Promise<void> {
  if (hashes.length === 0) return;
  await transaction
    .update(apiKeySecrets)
    .set({ state: "revoked", revokedAt: sql`clock_timestamp()`, ...also })
    .where(inArray(apiKeySecrets.hash, [...hashes]));
}

/** Whether this is a previous secret whose grace is over. */
export function hasGraceEnded({ state, endsAt }: Pick<Secret, "state" | "endsAt">, now: Date): boolean {
  return state === "previous" && hasEnded(endsAt?.getTime() ?? null, now.getTime());
}

/** What the history says of a secret beside the current one that is ended before its time. */
export function actOfEnding({ state }: Pick<Secret, "state">): "key.rotation_cancelled" | "key.grace_ended" {
  return state === "waiting" ? "key.rotation_cancelled" : "key.grace_ended";
}

/**
 * Keeps which secrets were verified when a repeated request is refused for it. The bypass has overwritten the values that told it, and the next
 * repetition must be refused, too. Nothing else of the call is kept.
 * @param verified their hashes, in hexadecimal, once the change has been refused.
 * @throws what the change throws, and what the database throws.
 */
export async function keepingVerified<T>(
  ctx: Pick<ServerContext, "db" | "now">,
  verified: ReadonlySet<string>,
  change: () => Promise<T>,
): Promise<T> {
  try {
    return await change();
  } catch (fault) {
    const isRefused = fault instanceof DomainError && fault.code === "API_KEY_REQUEST_REUSED";
    const uses = [...verified].map((hex) => ({ hash: Buffer.from(hex, "hex"), lastUsedAt: ctx.now() }));
    if (isRefused && uses.length > 0) await ctx.db.insert(apiKeySecretUses).values(uses).onConflictDoNothing();
    throw fault;
  }
}

/** Whether the secret is known to have been verified, by its row of uses. */
export async function isKnownAsVerified(db: Statements, hash: Buffer): Promise<boolean> {
  return (await db.$count(apiKeySecretUses, eq(apiKeySecretUses.hash, hash))) > 0;
}

/** A secret beside the current one that is to end before its time, and its key as it is under the lock. */
export interface EndingSecret {
  secret: Pick<Secret, "hash" | "state">;
  key: { id: string; name: string; ownerId: string };
}

/** Ends secrets that wait or that are in their grace, alone, and records it. The caller has locked the keys, and names the purges. */
export async function endSecrets(
  transaction: Statements,
  ending: readonly EndingSecret[],
  { now, actor }: { now: Date; actor: Actor },
): Promise<void> {
  const hashes = (state: Secret["state"]) =>
    ending.filter(({ secret }) => secret.state === state).map(({ secret }) => secret.hash);
  await revokeSecrets(transaction, hashes("waiting"));
  // Their end is now, which the summary tells until Redis has confirmed it.
  await revokeSecrets(transaction, hashes("previous"), { endsAt: now });
  await recordEvents(
    transaction,
    ending.map(({ secret, key }) => ({ action: actOfEnding(secret), ownerId: key.ownerId, key, actor })),
  );
}

/** Makes room for another previous secret: those whose grace is over are revoked from their end on. The caller names their purges. */
export async function recordEnded(transaction: Statements, hashes: readonly Buffer[]): Promise<void> {
  if (hashes.length === 0) return;
  const { endsAt } = apiKeySecrets;
  const atItsEnd = { revokedAt: sql`${endsAt}`, effectiveAt: sql`${endsAt}`, guaranteedBy: sql`${endsAt}` };
  await transaction
    .update(apiKeySecrets)
    .set({ state: "revoked", ...atItsEnd })
    .where(inArray(apiKeySecrets.hash, [...hashes]));
}

/**
 * Puts the bypass in place, as before every revocation. The same Redis request tells which secrets were verified in the last minute: those
 * whose slot held a value. Uses reach the database up to a minute late, so the rows alone do not tell.
 * @returns their hashes, in hexadecimal. None when Redis cannot tell.
 */
export async function bypassAndFindVerified(
  ctx: Pick<ServerContext, "slots" | "logger">,
  hashes: readonly Buffer[],
): Promise<Set<string>> {
  if (hashes.length === 0) return new Set();
  try {
    const hadValue = await ctx.slots.bypass(hashes);
    return new Set(hashes.filter((_, at) => hadValue[at]).map((hash) => hash.toString("hex")));
  } catch (fault) {
    ctx.logger.warn({ fault: describeFault(fault) }, "slots not bypassed");
    return new Set();
  }
}
