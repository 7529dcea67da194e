import { and, eq } from "drizzle-orm";

import type { ServerContext } from "./context";
import { apiKeys, apiKeySecrets, owners } from "../platform/schema";
import { hasAccess } from "./access";
import { changeAndPurge } from "../outbox/change-and-purge";
import { byKey, recordEvents } from "../history";
import { toPublicId } from "../shared/public-id";
import { hasEnded } from "../shared/status";

/**
 * Ends the wait of a secret that is being accepted for the first time: it becomes the current one, and the one before it gets its end. A
 * secret that waits no longer is left alone, so two first uses at once activate once. A value of the old one that was cached before has no
 * end, but lives 65 s at most, and the shortest grace is 300 s: the end holds even if the purge is lost.
 * @throws what the database throws. Then nobody may take the secret for accepted. A commit whose outcome is unknown is not repeated here,
 *   since the caller of a verification waits: its next call does it.
 */
export async function activateSecret(ctx: ServerContext, keyId: string, hash: Buffer): Promise<void> {
  const activate: Parameters<typeof changeAndPurge<void>>[1] = async (transaction, purge) => {
    const [key] = await transaction.select().from(apiKeys).where(eq(apiKeys.id, keyId)).for("no key update");
    const isWaiting = and(eq(apiKeySecrets.hash, hash), eq(apiKeySecrets.state, "waiting"));
    const [waiting] = await transaction.select().from(apiKeySecrets).where(isWaiting);
    const now = ctx.now();
    if (!key || key.revokedAt || hasEnded(key.expiresAt?.getTime() ?? null, now.getTime()) || !waiting) return;
    // The plan may have lost its access since the row was read, and a refused use is no first one.
    const [owner] = await transaction.select().from(owners).where(eq(owners.id, key.ownerId));
    if (!owner || owner.closedAt || (ctx.settings.accessFeature && !hasAccess(owner, now))) return;
    const endsAt = endOfGrace(now, waiting.graceSeconds ?? 0, key.expiresAt);
    const old = await transaction
      .update(apiKeySecrets)
      .set({ state: "previous", endsAt })
      .where(and(eq(apiKeySecrets.keyId, keyId), eq(apiKeySecrets.state, "current")))
      .returning({ hash: apiKeySecrets.hash });
    await transaction.update(apiKeySecrets).set({ state: "current" }).where(eq(apiKeySecrets.hash, hash));
    await transaction.update(apiKeys).set({ rotatedAt: now }).where(eq(apiKeys.id, keyId));
    const event = { action: "key.rotated", detail: { endsAt: endsAt.toISOString() } } as const;
    await recordEvents(transaction, [{ ...event, ownerId: key.ownerId, key, actor: byKey(toPublicId(key.id)) }]);
    await purge({ target: "absent", hashes: old.map((secret) => secret.hash) });
  };
  await changeAndPurge(ctx, activate, { patienceMilliseconds: 0 });
}

/** The rotation extends nothing: no secret outlives its key. */
function endOfGrace(firstUse: Date, graceSeconds: number, expiresAt: Date | null): Date {
  const end = firstUse.getTime() + graceSeconds * 1_000;
  return new Date(Math.min(end, expiresAt?.getTime() ?? end));
}
