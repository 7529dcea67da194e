import type { BillingPlanJSON, BillingSubscriptionItemJSON, BillingSubscriptionJSON } from "@clerk/backend";

/** Who has a subscription: a user or an organisation. */
export type Payer = {
  id: string;
  /** Of the plan. */
  features: readonly string[];
  /** The one paid item of the subscription. */
  subscription: { status: BillingSubscriptionItemJSON["status"]; periodEnd: number | null };
  /** Whether the backend API fails when it is asked for the subscription. */
  isBillingDown: boolean;
};

export const newPayer = (features: readonly string[]): Omit<Payer, "id"> => ({
  features,
  subscription: { status: "active", periodEnd: null },
  isBillingDown: false,
});

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

const freeSlugs = { user: "free_user", org: "free_org" };

const kindOf = ({ id }: Pick<Payer, "id">): "user" | "org" => (id.startsWith("org_") ? "org" : "user");
const idOf = (prefix: string, { id }: Pick<Payer, "id">): string => id.replace(/^(?:user|org)_/, `${prefix}_`);

function isPaidFor({ subscription: { status, periodEnd } }: Payer): boolean {
  return status === "active" || (status === "canceled" && periodEnd !== null && periodEnd > Date.now());
}

/** What a session token made now may claim: a canceled plan keeps its features until the period that was paid for ends. */
export const featuresInEffect = (payer: Payer): readonly string[] => (isPaidFor(payer) ? payer.features : []);

/** The slug of the plan that a session token made now names. */
export const planInEffect = (payer: Payer): string => (isPaidFor(payer) ? planFields.slug : freeSlugs[kindOf(payer)]);

const itemFields = ({ subscription: { status, periodEnd }, ...payer }: Payer) => ({
  object: "commerce_subscription_item" as const,
  id: idOf("csub_item", payer),
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

const subscriptionFields = (payer: Payer) => ({
  object: "commerce_subscription" as const,
  id: idOf("csub", payer),
  instance_id: instanceId,
  // By the free item that everybody has, it stays active whatever becomes of the paid one.
  status: "active" as const,
  payer_id: idOf("cpayer", payer),
  created_at: createdAt,
  updated_at: createdAt,
  active_at: createdAt,
  past_due_at: null,
});

/** The subscription as the backend API answers it: only here do plans have their features. */
export function subscriptionResource(payer: Payer): BillingSubscriptionJSON {
  const plan: BillingPlanJSON = {
    ...planFields,
    object: "commerce_plan",
    description: null,
    fee: null,
    annual_fee: null,
    annual_monthly_fee: null,
    for_payer_type: kindOf(payer),
    free_trial_days: null,
    free_trial_enabled: false,
    avatar_url: null,
    features: payer.features.map((slug) => ({ object: "feature", id: `feat_${slug}`, name: slug, slug })),
  };
  const paid: BillingSubscriptionItemJSON = { ...itemFields(payer), is_free_trial: false, ended_at: null, plan };
  const free: BillingSubscriptionItemJSON = {
    ...paid,
    id: `${paid.id}_free`,
    status: "active",
    period_end: null,
    canceled_at: null,
    past_due_at: null,
    plan: { ...plan, id: "cplan_free", name: "Free", slug: freeSlugs[kindOf(payer)], is_default: true, features: [] },
  };
  return { ...subscriptionFields(payer), subscription_items: [free, paid] };
}

/** The data of the events about a subscription and its paid item. `about`: what Clerk tells of who pays. */
export function subscriptionEventData(payer: Payer, about: Record<string, string>) {
  const payerFields = {
    object: "commerce_payer",
    id: idOf("cpayer", payer),
    instance_id: instanceId,
    ...about,
    created_at: createdAt,
    updated_at: createdAt,
  };
  const item = { ...itemFields(payer), plan: planFields, plan_id: planFields.id, payer: payerFields };
  return { item, subscription: { ...subscriptionFields(payer), payer: payerFields, items: [item] } };
}
