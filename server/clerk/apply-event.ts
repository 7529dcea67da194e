import { z } from "zod";

import type { ServerContext } from "../keys/context";
import { closeOwner, type OwnerAccess, reopenOwner, setOwnerAccess } from "../owners";

/** Milliseconds since 1970, between 2001 and 2286. A time in seconds or microseconds would break the order of events, so it is refused. */
const timestamp = z
  .int()
  .min(1e12)
  .max(1e13)
  .transform((milliseconds) => new Date(milliseconds));
const userId = z.string().min(1);

const userDeleted = z.object({ timestamp, data: z.object({ id: userId }) });
const userUpdated = z.object({ timestamp, data: z.object({ id: userId, banned: z.boolean() }) });
const subscriptionChanged = z.object({
  timestamp,
  data: z.object({ payer: z.object({ user_id: userId.nullish() }).nullish() }),
});

/**
 * Applies one of Clerk's events to its owner. Events may come late, twice and out of order. Their `timestamp` says when they happened, and
 * that orders them. A ban and a deletion are taken from the event. An event about a plan names no features, so it is only a signal to read
 * the current subscription. Events of other types, and of organisations, change nothing.
 * @param readAccess reads what the user's subscription says now.
 * @throws what `readAccess` and the verbs throw; ZodError when the event lacks something. Then Clerk has to send the event again.
 */
export async function applyClerkEvent(
  ctx: ServerContext,
  event: { type: string },
  readAccess: (userId: string) => Promise<OwnerAccess>,
): Promise<void> {
  if (event.type === "user.deleted") {
    const { data, timestamp: at } = userDeleted.parse(event);
    await closeOwner(ctx, { ownerId: data.id, at, reason: "deleted" });
  } else if (event.type === "user.updated") {
    const { data, timestamp: at } = userUpdated.parse(event);
    if (data.banned) {
      await closeOwner(ctx, { ownerId: data.id, at, reason: "banned" });
    } else {
      await reopenOwner(ctx, { ownerId: data.id, at });
      await refreshAccess(ctx, data.id, at, readAccess);
    }
  } else if (/^subscription(Item)?\./.test(event.type)) {
    const { data, timestamp: at } = subscriptionChanged.parse(event);
    if (data.payer?.user_id) await refreshAccess(ctx, data.payer.user_id, at, readAccess);
  }
}

async function refreshAccess(
  ctx: ServerContext,
  ownerId: string,
  at: Date,
  readAccess: (userId: string) => Promise<OwnerAccess>,
): Promise<void> {
  if (!ctx.settings.accessFeature) return;
  await setOwnerAccess(ctx, { ownerId, at, ...(await readAccess(ownerId)) });
}
