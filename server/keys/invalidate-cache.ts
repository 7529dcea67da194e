import type { ServerContext } from "./context";
import { readClock } from "../platform/database";
import { DomainError } from "../shared/errors";
import { describeFault } from "../platform/logger";
import { changeAndPurge } from "../outbox/change-and-purge";
import { pendingSince } from "../outbox/effects";
import type { Effect } from "../shared/effect";

const callsPerMinute = 60;

/** Counts one call of `invalidateCache` for the person, whatever they act for. @throws DomainError RATE_LIMITED after 60 calls a minute. */
export async function limitInvalidations(ctx: ServerContext, caller: { userId: string }): Promise<void> {
  const state = await ctx.limits.invalidate(caller.userId, callsPerMinute);
  if (state && !state.isWithin) throw new DomainError("RATE_LIMITED");
}

/**
 * Discards what is cached for a hash. This is the original system's procedure. The key itself does not change, and an active key goes on
 * working. A hash that no key ever had is purged too, but without a row in the outbox.
 * @param input `keyHash`: the hash of the secret, as 64 lower-case hexadecimal digits.
 * @returns from when on, or after when at the latest, nothing is used that was cached before this call.
 * @throws DomainError API_KEY_NOT_OWNED for another owner's hash.
 * @throws what the database throws. When ownership could not be checked, nothing was discarded.
 * @example
 * const { effect } = await invalidateCache(ctx, { ownerId: "user_1" }, { keyHash: "0".repeat(64) });
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
  const [key] = await ctx.findByHash.execute({ hash });
  if (key && key.ownerId !== ownerId) throw new DomainError("API_KEY_NOT_OWNED");
  return key;
}

async function purgeOwned(
  ctx: ServerContext,
  key: { id: string; revokedAt: Date | null },
  hash: Buffer,
): Promise<Effect> {
  const { effects } = await changeAndPurge(ctx, (_transaction, purge) =>
    purge({ target: key.revokedAt ? "revoked" : "absent", hashes: [hash] }),
  );
  const effect = effects.get(key.id);
  if (!effect) throw new Error("the purge was not carried out");
  return effect;
}

/** No key ever had this hash, so there is no row in the outbox and nothing to record. The database only tells the time. */
async function purgeUnknown(ctx: ServerContext, hash: Buffer): Promise<Effect> {
  // Before the purge: what fails after it must not be told as "nothing was changed".
  const askedAt = await readClock(ctx.db);
  const isConfirmed = await purgeBestEffort(ctx, hash);
  const confirmedAt = isConfirmed ? await readClock(ctx.db).catch(() => null) : null;
  return confirmedAt ? { status: "effective", at: confirmedAt } : pendingSince(askedAt);
}

async function purgeBestEffort(ctx: ServerContext, hash: Buffer): Promise<boolean> {
  try {
    return (await ctx.slots.purge([{ hash, target: "absent" }])).every(Boolean);
  } catch (fault) {
    ctx.logger.warn({ fault: describeFault(fault) }, "purge not confirmed");
    return false;
  }
}
