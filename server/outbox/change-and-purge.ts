import { type Effect, weakestEffect } from "../shared/effect";
import type { OutboxContext } from "./context";
import type { Statements } from "../platform/database";
import { describeFault } from "../platform/logger";
import { commitUntilKnown } from "./commit-until-known";
import { pendingSince, recordEffects, recordSecretEffects } from "./effects";
import { enqueuePurges, type KeyQueue, type OutdatedSlots, type QueuedPurge } from "./queue";
import { type Settlement, settlePurges } from "./settle";

/**
 * Names the slots that the change makes out of date. They are queued in the change's transaction and purged after its commit. A change whose
 * own statement has queued them names that queue.
 */
export type NamePurges = (slots: OutdatedSlots | KeyQueue) => Promise<void>;

export interface Changed<T> {
  result: T;
  /**
   * By key id, for each key that the change named a purge for: of its revocation where the key is revoked, else the weakest of the
   * revocations of its secrets, else from when on nothing that was cached before is used.
   */
  effects: Map<string, Effect>;
  /** By hash, in hexadecimal: of each secret that was revoked alone, while its key lives, and whose purge was queued. */
  secretEffects: Map<string, Effect>;
}

type Effects = Pick<Changed<unknown>, "effects" | "secretEffects">;

type Change<T> = (transaction: Statements, purge: NamePurges) => Promise<T>;

/**
 * Changes something that a cached value carries, for example that a key is revoked. There is no other way to do it, but for
 * `changeAndPurgeLater`, so nobody can commit a change and forget its purge. The steps: bypass the slots, commit the change together with its
 * purges, try the purges once, and say what is known.
 *
 * @param change runs in a transaction, perhaps more than once, so it must be idempotent. It locks owners first, then keys in the order
 *   of their ids, and names its purges last (see `platform/locks`).
 * @param options.bypass the hashes of keys that the change will probably end. Until the purge, their verifications ask the database. This
 *   only shortens the time in which a cached copy is used.
 * @param options.patienceMilliseconds how long a commit is repeated whose outcome is unknown. By default 10 s.
 * @throws what `change` or the database throws: then nothing was changed. CommitOutcomeUnknownError: nobody knows whether it was changed.
 *   A Redis that fails is no error: the effect is then `pending`.
 *
 * @example
 * const { result, effects } = await changeAndPurge(ctx, async (transaction, purge) => {
 *   const keys = await transaction.update(apiKeys).set({ name }).where(eq(apiKeys.id, id)).returning();
 *   await purge({ target: "absent", keyIds: keys.map((key) => key.id) });
 *   return keys;
 * });
 */
export async function changeAndPurge<T>(
  ctx: OutboxContext,
  change: Change<T>,
  options: { bypass?: readonly Buffer[]; patienceMilliseconds?: number } = {},
): Promise<Changed<T>> {
  if (options.bypass?.length) await bypassBestEffort(ctx, options.bypass);
  const committed = await commitWithPurges(ctx, change, options.patienceMilliseconds);
  return { result: committed.result, ...(await purgeAndTell(ctx, committed)) };
}

/**
 * The same for a caller who must not wait for Redis, and to whom the effect is not told. It resolves after the commit. The purges are tried
 * after that, once, by `ctx.defer`, and whatever Redis has not confirmed then stays in the outbox, as always. There is no bypass: until the
 * purge a cached copy may still be used.
 * @throws as `changeAndPurge`.
 */
export async function changeAndPurgeLater<T>(
  ctx: OutboxContext & { defer: (task: () => Promise<void>) => void },
  change: Change<T>,
): Promise<T> {
  const committed = await commitWithPurges(ctx, change);
  ctx.defer(async () => {
    await purgeAndTell(ctx, committed);
  });
  return committed.result;
}

interface Committed<T> {
  result: T;
  queue: KeyQueue;
  committedAt: Date;
}

async function commitWithPurges<T>(
  ctx: OutboxContext,
  change: Change<T>,
  patienceMilliseconds?: number,
): Promise<Committed<T>> {
  const changeAndEnqueue = async (transaction: Statements) => {
    const queues: KeyQueue[] = [];
    const result = await change(transaction, async (slots) => {
      queues.push("purges" in slots ? slots : await enqueuePurges(transaction, slots));
    });
    return { result, queue: joinQueues(queues) };
  };
  const { result, committedAt } = await commitUntilKnown(ctx, changeAndEnqueue, patienceMilliseconds);
  return { ...result, committedAt };
}

async function purgeAndTell(ctx: OutboxContext, { queue, committedAt }: Committed<unknown>): Promise<Effects> {
  const settlement = await settlePurges(ctx, queue);
  return effectsAfter(ctx, queue, settlement, committedAt);
}

/** Policy: a failed bypass is logged, and the change goes on. Only the purge after the commit counts. */
async function bypassBestEffort(
  ctx: Pick<OutboxContext, "slots" | "logger">,
  hashes: readonly Buffer[],
): Promise<void> {
  try {
    await ctx.slots.bypass(hashes);
  } catch (fault) {
    ctx.logger.warn({ fault: describeFault(fault) }, "slots not bypassed");
  }
}

/** A purge that was named twice counts as it was named last. Tombstones stay last (see `queueOf`). */
function joinQueues(queues: readonly KeyQueue[]): KeyQueue {
  const purges = new Map(queues.flatMap((queue) => queue.purges.map((purge) => [purge.id, purge] as const)));
  return {
    purges: [...purges.values()].sort((one, other) => one.target.localeCompare(other.target)),
    revoked: new Map(queues.flatMap((queue) => [...queue.revoked])),
  };
}

async function effectsAfter(
  ctx: OutboxContext,
  queue: KeyQueue,
  { confirmed, recordedAt, effectiveAt }: Settlement,
  committedAt: Date,
): Promise<Effects> {
  const isKeyRevoked = (keyId: string) => queue.revoked.has(keyId);
  const keyIds = [...new Set(queue.purges.map((purge) => purge.keyId))];
  const secrets = queue.purges.filter(({ keyId, target }) => target === "revoked" && !isKeyRevoked(keyId));
  const keyAt = (keyId: string) => queue.revoked.get(keyId) ?? effectiveAt.get(keyId);
  const secretAt = ({ hash }: QueuedPurge) => effectiveAt.get(hash.toString("hex"));
  const promised = await promiseOrNothing(ctx, committedAt, {
    keyIds: keyIds.filter((keyId) => isKeyRevoked(keyId) && !keyAt(keyId)),
    hashes: secrets.filter((secret) => !secretAt(secret)).map(({ hash }) => hash),
  });
  // Even when the promise could not be stored it holds, since it follows from the commit alone.
  const effect = (at: Date | null | undefined, id: string): Effect =>
    at ? { status: "effective", at } : (promised.get(id) ?? pendingSince(committedAt));
  const secretEffect = (secret: QueuedPurge) => effect(secretAt(secret), secret.hash.toString("hex"));
  const effectOf = (keyId: string): Effect => {
    if (isKeyRevoked(keyId)) return effect(keyAt(keyId), keyId);
    const revoked = secrets.filter((secret) => secret.keyId === keyId);
    const weakest = weakestEffect(revoked.map(secretEffect));
    const isConfirmed = queue.purges.every((purge, at) => purge.keyId !== keyId || confirmed[at]);
    return weakest ?? effect(isConfirmed ? recordedAt : null, keyId);
  };
  return {
    effects: new Map(keyIds.map((keyId) => [keyId, effectOf(keyId)])),
    secretEffects: new Map(secrets.map((secret) => [secret.hash.toString("hex"), secretEffect(secret)])),
  };
}

async function promiseOrNothing(
  ctx: Pick<OutboxContext, "db" | "logger">,
  committedAt: Date,
  pending: { keyIds: readonly string[]; hashes: readonly Buffer[] },
): Promise<Map<string, Effect>> {
  try {
    const keys = await recordEffects(ctx.db, pending.keyIds, committedAt);
    return new Map([...keys, ...(await recordSecretEffects(ctx.db, pending.hashes, committedAt))]);
  } catch (fault) {
    ctx.logger.warn({ fault: describeFault(fault) }, "promise not stored");
    return new Map();
  }
}
