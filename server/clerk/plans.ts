import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";

import type { OwnerAccess } from "../owners";

/** Well within the 15 s after which Clerk's sender gives up on an answer. */
const readMilliseconds = 5_000;

/** What decides, of `BillingSubscription` in @clerk/backend. Times are milliseconds since 1970. */
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

const notFoundSchema = z.object({ status: z.literal(404), errors: z.array(z.unknown()).min(1) });

/**
 * Whether, and until when, the user's current subscription includes the feature.
 * @throws what the client throws, and an Error when the answer comes too late or is not understood: nothing is known then. A 404 in
 *   Clerk's own words is an answer: no subscription, as where billing is off or the user is gone.
 */
export async function readSubscriptionAccess(
  billing: { getUserBillingSubscription(userId: string): Promise<unknown> },
  userId: string,
  feature: string,
): Promise<OwnerAccess> {
  const timer = new AbortController();
  try {
    const subscription = await Promise.race([
      billing.getUserBillingSubscription(userId),
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

/**
 * An active item grants the feature of its plan, a canceled one until the period that was paid for ends. Every other state grants
 * nothing: what is past due, upcoming, incomplete or ended is not paid for.
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
