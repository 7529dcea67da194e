import { z } from "zod";

import type { ServerContext } from "../keys/context";
import {
  closeOwner,
  joinOrganization,
  leaveOrganization,
  type OwnerAccess,
  reopenOwner,
  setOwnerAccess,
} from "../owners";
import type { Payer } from "./plans";

/** Milliseconds since 1970, between 2001 and 2286. A time in seconds or microseconds would break the order of events, so it is refused. */
const timestamp = z
  .int()
  .min(1e12)
  .max(1e13)
  .transform((milliseconds) => new Date(milliseconds));
const id = z.string().min(1);

/** `UserDeletedJSON`, and `DeletedObjectJSON` of an organisation. */
const ownerDeleted = z.object({ timestamp, data: z.object({ id }) });
const userUpdated = z.object({ timestamp, data: z.object({ id, banned: z.boolean() }) });
const subscriptionChanged = z.object({
  timestamp,
  // `BillingPayerJSON`: one of the two.
  data: z.object({ payer: z.object({ user_id: id.nullish(), organization_id: id.nullish() }).nullish() }),
});
/** `OrganizationMembershipJSON`. */
const membershipChanged = z.object({
  timestamp,
  data: z.object({ organization: z.object({ id }), public_user_data: z.object({ user_id: id }) }),
});

/**
 * Applies one of Clerk's events to its owner. Events may come late, twice and out of order. Their `timestamp` says when they happened, and
 * that orders them. A ban and a deletion are taken from the event. An event about a plan names no features, so it is only a signal to read
 * the current subscription. Events of other types change nothing.
 * @param readAccess reads what the owner's subscription says now.
 * @throws what `readAccess` and the verbs throw; ZodError when the event lacks something. Then Clerk has to send the event again.
 */
export async function applyClerkEvent(
  ctx: ServerContext,
  event: { type: string },
  readAccess: (owner: Payer) => Promise<OwnerAccess>,
): Promise<void> {
  if (event.type === "user.deleted" || event.type === "organization.deleted") {
    const { data, timestamp: at } = ownerDeleted.parse(event);
    await closeOwner(ctx, { ownerId: data.id, at, reason: "deleted" });
  } else if (event.type === "user.updated") {
    const { data, timestamp: at } = userUpdated.parse(event);
    if (data.banned) {
      await closeOwner(ctx, { ownerId: data.id, at, reason: "banned" });
    } else {
      await reopenOwner(ctx, { ownerId: data.id, at });
      await refreshAccess(ctx, { kind: "user", id: data.id }, at, readAccess);
    }
  } else if (event.type === "organizationMembership.deleted" || event.type === "organizationMembership.created") {
    const { data, timestamp: at } = membershipChanged.parse(event);
    const change = { ownerId: data.organization.id, userId: data.public_user_data.user_id, at };
    await (event.type === "organizationMembership.deleted" ? leaveOrganization : joinOrganization)(ctx, change);
  } else if (/^subscription(Item)?\./.test(event.type)) {
    const { data, timestamp: at } = subscriptionChanged.parse(event);
    const payer = payerOf(data.payer);
    if (payer) await refreshAccess(ctx, payer, at, readAccess);
  }
}

function payerOf(payer: z.output<typeof subscriptionChanged>["data"]["payer"]): Payer | null {
  if (payer?.organization_id) return { kind: "organization", id: payer.organization_id };
  return payer?.user_id ? { kind: "user", id: payer.user_id } : null;
}

async function refreshAccess(
  ctx: ServerContext,
  owner: Payer,
  at: Date,
  readAccess: (owner: Payer) => Promise<OwnerAccess>,
): Promise<void> {
  if (!ctx.settings.accessFeature) return;
  await setOwnerAccess(ctx, { ownerId: owner.id, at, ...(await readAccess(owner)) });
}
