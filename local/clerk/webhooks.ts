import { createHmac } from "node:crypto";

import { userResource } from "./accounts";
import { subscriptionEventData, type Payer } from "./billing";
import { newId } from "./client-state";
import type { Membership, MembershipChange, OrganizationChange, OrganizationState } from "./organization-registry";
import { membershipResource, organizationAnswer, type Directory } from "./organization-resources";
import type { UserChange, UserState } from "./user-registry";

export type WebhookEvent = { object: "event"; type: string; timestamp: number; instance_id: string; data: object };

/** What an event tells; when and where is the same for all that a change causes. */
export type Happening = Pick<WebhookEvent, "type" | "data">;

const ofSubscription = (payer: Payer, about: Record<string, string>): Happening[] => {
  const { item, subscription } = subscriptionEventData(payer, about);
  const status = payer.subscription.status === "past_due" ? "pastDue" : payer.subscription.status;
  return [
    { type: "subscription.updated", data: subscription },
    { type: `subscriptionItem.${status}`, data: item },
  ];
};

/** What Clerk tells of such a change of a user. */
export function eventsOfUser(user: UserState, change: UserChange): Happening[] {
  if (change.deleted) return [{ type: "user.deleted", data: { object: "user", id: user.id, deleted: true } }];
  return [
    ...(change.banned === undefined ? [] : [{ type: "user.updated", data: userResource(user) }]),
    ...(change.features || change.subscription ? ofSubscription(user, { user_id: user.id, email: user.email }) : []),
  ];
}

/** What Clerk tells of such a change of an organisation. */
export function eventsOfOrganization(
  context: Directory,
  organization: OrganizationState,
  change: OrganizationChange & { isNew: boolean },
): Happening[] {
  const { id, name } = organization;
  if (change.deleted) return [{ type: "organization.deleted", data: { object: "organization", id, deleted: true } }];
  const data = organizationAnswer(context, organization);
  const isRenamed = change.name !== undefined || change.slug !== undefined;
  return [
    ...(change.isNew ? [{ type: "organization.created", data }] : []),
    ...(!change.isNew && isRenamed ? [{ type: "organization.updated", data }] : []),
    ...(change.features || change.subscription
      ? ofSubscription(organization, { organization_id: id, organization_name: name, email: "" })
      : []),
  ];
}

/** What Clerk tells of such a change of a membership, which is whole in the event that it has ended, too. */
export function eventOfMembership(
  context: Directory,
  membership: Membership,
  change: MembershipChange & { isNew: boolean },
): Happening {
  const verb = change.deleted ? "deleted" : change.isNew ? "created" : "updated";
  return { type: `organizationMembership.${verb}`, data: membershipResource(context, membership) };
}

export const eventAt = (timestamp: number, { type, data }: Happening): WebhookEvent => ({
  object: "event",
  type,
  timestamp,
  instance_id: "ins_local",
  data,
});

/**
 * The headers of a webhook in the scheme of Standard Webhooks, under the names that Svix gives them.
 * @param secret `whsec_` and the key in base64
 */
export function signWebhook(
  secret: string,
  body: string,
  { id = newId("msg"), sentAt = Date.now() } = {},
): Record<string, string> {
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const seconds = String(Math.floor(sentAt / 1000));
  const signature = createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64");
  return {
    "content-type": "application/json",
    "svix-id": id,
    "svix-timestamp": seconds,
    "svix-signature": `v1,${signature}`,
  };
}

/** Sends an event to the app, once. Resolves with the status it was answered with, 0 where nothing answered. */
export async function deliverWebhook(appOrigin: string, secret: string, event: WebhookEvent): Promise<number> {
  const body = JSON.stringify(event);
  try {
    const url = `${appOrigin}/api/webhooks/clerk`;
    const response = await fetch(url, { method: "POST", headers: signWebhook(secret, body), body });
    await response.body?.cancel();
    return response.status;
  } catch {
    return 0;
  }
}
