import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";

import type { Caller } from "../keys";
import type { OwnerAccess } from "../owners";

/** Clerk's sender waits 15 s for an answer of the webhook. This leaves enough of them. */
const readMilliseconds = 5_000;

/** The fields of `BillingSubscription` in @clerk/backend that decide. Times are in milliseconds since 1970. */
const subscriptionSchema = z.object({
  subscriptionItems: z.array(
    z.object({
      status: z.string(),
      periodEnd: z.number().nullish(),
      canceledAt: z.number().nullish(),
      plan: z.object({ features: z.array(z.object({ slug: z.string() })) }).nullable(),
    }),
  ),
});
type Subscription = z.infer<typeof subscriptionSchema>;

/** Who has the subscription. */
export interface Payer {
  kind: Caller["ownerKind"];
  id: string;
}

interface Billing {
  getUserBillingSubscription(userId: string): Promise<unknown>;
  getOrganizationBillingSubscription(organizationId: string): Promise<unknown>;
}

const notFoundSchema = z.object({ status: z.literal(404), errors: z.array(z.unknown()).min(1) });

/**
 * Reads whether, and until when, the owner's current subscription includes the feature. A 404 in Clerk's own words is an answer: there is no
 * subscription. Clerk answers so where billing is off or the owner is gone.
 * @throws what the client throws; an Error when the answer comes after 5 s or is not understood. Then nothing is known.
 */
export async function readSubscriptionAccess(billing: Billing, owner: Payer, feature: string): Promise<OwnerAccess> {
  const timer = new AbortController();
  try {
    const subscription = await Promise.race([
      readSubscription(billing, owner),
      delay(readMilliseconds, undefined, { signal: timer.signal, ref: false }).then(() => {
        throw new Error("the subscription was not read in time");
      }),
    ]);
    return accessBySubscription(subscriptionSchema.parse(subscription), feature);
  } catch (fault) {
    if (notFoundSchema.safeParse(fault).success) return { allowed: false, until: null };
    throw fault;
  } finally {
    timer.abort();
  }
}

function readSubscription(billing: Billing, { kind, id }: Payer): Promise<unknown> {
  return kind === "user" ? billing.getUserBillingSubscription(id) : billing.getOrganizationBillingSubscription(id);
}

/**
 * Says what a subscription grants. An active item grants the features of its plan. A canceled item grants them until the end of the period
 * that was paid for. Every other state grants nothing: what is past due, upcoming, incomplete or ended is not paid for.
 */
export function accessBySubscription(subscription: Subscription, feature: string): OwnerAccess {
  const ends = subscription.subscriptionItems
    .filter((item) => item.plan?.features.some(({ slug }) => slug === feature))
    .flatMap(({ status, canceledAt, periodEnd }) => {
      if (status === "active" && !canceledAt) return [Infinity];
      return (status === "active" || status === "canceled") && periodEnd ? [periodEnd] : [];
    });
  const last = Math.max(...ends);
  return { allowed: ends.length > 0, until: Number.isFinite(last) ? new Date(last) : null };
}
