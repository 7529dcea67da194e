import { eq } from "drizzle-orm";

import type { ServerContext } from "./context";
import { readClock } from "../platform/database";
import { apiKeys } from "../platform/schema";
import { DomainError } from "../shared/errors";
import { describeFault } from "../platform/logger";
import { changeAndPurge } from "../outbox/change-and-purge";
import { pendingSince } from "../outbox/effects";
import type { Effect } from "../shared/effect";

const callsPerMinute = 60;

/** Counts one call against the caller's 60 a minute. @throws RATE_LIMITED */
export async function limitInvalidations(ctx: ServerContext, caller: { ownerId: string }): Promise<void> {
  const state = await ctx.limits.invalidate(caller.ownerId, callsPerMinute);
  if (state && !state.isWithin) throw new DomainError("RATE_LIMITED");
}

/**
 * Discards what is cached for a hash: the original system's procedure. The key itself stays as it is.
 * @returns from when on, or after when at the latest, nothing cached before this call is used.
 * @throws API_KEY_NOT_OWNED for another owner's hash. What the database throws when ownership cannot be checked: then nothing is
 *   deleted. A hash that no key has is purged all the same, without a row in the outbox.
 */
export async function invalidateCache(
  ctx: ServerContext,
  caller: { ownerId: string },
  input: { keyHash: string },
): Promise<{ ok: true; effect: Effect }> {
  const hash = Buffer.from(input.keyHash, "hex");
  const key = await findOwned(ctx, caller.ownerId, hash);
  return { ok: true, effect: key ? await purgeOwned(ctx, key, hash) : await purgeUnknown(ctx, hash) };
}

async function findOwned(ctx: ServerContext, ownerId: string, hash: Buffer) {
  const columns = { id: apiKeys.id, ownerId: apiKeys.ownerId, revokedAt: apiKeys.revokedAt };
  const [key] = await ctx.db.select(columns).from(apiKeys).where(eq(apiKeys.hash, hash));
  if (key && key.ownerId !== ownerId) throw new DomainError("API_KEY_NOT_OWNED");
  return key;
}

async function purgeOwned(
  ctx: ServerContext,
  key: { id: string; revokedAt: Date | null },
  hash: Buffer,
): Promise<Effect> {
  const { effects } = await changeAndPurge(ctx, (_transaction, purge) =>
    purge([{ keyId: key.id, hash, target: key.revokedAt ? "revoked" : "absent" }]),
  );
  const effect = effects.get(key.id);
  if (!effect) throw new Error("the purge was not carried out");
  return effect;
}

/** Without a row in the outbox, so nothing is recorded: the database is only asked for the time. */
async function purgeUnknown(ctx: ServerContext, hash: Buffer): Promise<Effect> {
  const isConfirmed = await purgeBestEffort(ctx, hash);
  const now = await readClock(ctx.db);
  return isConfirmed ? { status: "effective", at: now } : pendingSince(now);
}

async function purgeBestEffort(ctx: ServerContext, hash: Buffer): Promise<boolean> {
  try {
    return (await ctx.slots.purge([{ hash, target: "absent" }])).every(Boolean);
  } catch (fault) {
    ctx.logger.warn({ fault: describeFault(fault) }, "purge not confirmed");
    return false;
  }
}
