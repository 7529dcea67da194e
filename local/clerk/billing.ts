import type { BillingPlanJSON, BillingSubscriptionItemJSON, BillingSubscriptionJSON } from "@clerk/backend";

import type { UserState } from "./user-registry";

const createdAt = Date.UTC(2026, 0, 1);
const instanceId = "ins_local";

/** What every plan has, in the backend API and in events alike. */
const planFields = {
  id: "cplan_local",
  name: "Local plan",
  slug: "local_plan",
  is_default: false,
  is_recurring: true,
  has_base_fee: true,
  publicly_visible: true,
};

const itemFields = ({ id, subscription: { status, periodEnd } }: UserState) => ({
  object: "commerce_subscription_item" as const,
  id: id.replace("user_", "csub_item_"),
  instance_id: instanceId,
  status,
  plan_period: "month" as const,
  period_start: createdAt,
  period_end: periodEnd,
  canceled_at: status === "canceled" ? createdAt : null,
  past_due_at: status === "past_due" ? createdAt : null,
  created_at: createdAt,
  updated_at: createdAt,
});

const subscriptionFields = ({ id }: UserState) => ({
  object: "commerce_subscription" as const,
  id: id.replace("user_", "csub_"),
  instance_id: instanceId,
  // By the free item that everybody has, it stays active whatever becomes of the paid one.
  status: "active" as const,
  payer_id: id.replace("user_", "cpayer_"),
  created_at: createdAt,
  updated_at: createdAt,
  active_at: createdAt,
  past_due_at: null,
});

/** The user's subscription as the backend API answers it: only here do plans have their features. */
export function subscriptionResource(user: UserState): BillingSubscriptionJSON {
  const plan: BillingPlanJSON = {
    ...planFields,
    object: "commerce_plan",
    description: null,
    fee: null,
    annual_fee: null,
    annual_monthly_fee: null,
    for_payer_type: "user",
    free_trial_days: null,
    free_trial_enabled: false,
    avatar_url: null,
    features: user.features.map((slug) => ({ object: "feature", id: `feat_${slug}`, name: slug, slug })),
  };
  const paid: BillingSubscriptionItemJSON = { ...itemFields(user), is_free_trial: false, ended_at: null, plan };
  const free: BillingSubscriptionItemJSON = {
    ...paid,
    id: `${paid.id}_free`,
    status: "active",
    period_end: null,
    canceled_at: null,
    past_due_at: null,
    plan: { ...plan, id: "cplan_free", name: "Free", slug: "free_user", is_default: true, features: [] },
  };
  return { ...subscriptionFields(user), subscription_items: [free, paid] };
}

/** The data of the events about a subscription and its paid item. */
export function subscriptionEventData(user: UserState) {
  const payer = {
    object: "commerce_payer",
    id: user.id.replace("user_", "cpayer_"),
    instance_id: instanceId,
    user_id: user.id,
    email: user.email,
    created_at: createdAt,
    updated_at: createdAt,
  };
  const item = { ...itemFields(user), plan: planFields, plan_id: planFields.id, payer };
  return { item, subscription: { ...subscriptionFields(user), payer, items: [item] } };
}
