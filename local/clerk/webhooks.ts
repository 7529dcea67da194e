import { createHmac } from "node:crypto";

import { userResource } from "./accounts";
import { subscriptionEventData } from "./billing";
import { newId } from "./client-state";
import type { UserChange, UserState } from "./user-registry";

export type WebhookEvent = { object: "event"; type: string; timestamp: number; instance_id: string; data: object };

/** The events that Clerk sends for such a change, happened at `timestamp`. */
export function eventsOfChange(user: UserState, change: UserChange, timestamp: number): WebhookEvent[] {
  const event = (type: string, data: object): WebhookEvent => ({
    object: "event",
    type,
    timestamp,
    instance_id: "ins_local",
    data,
  });
  if (change.deleted) return [event("user.deleted", { object: "user", id: user.id, deleted: true })];
  const events: WebhookEvent[] = [];
  if (change.banned !== undefined) events.push(event("user.updated", userResource(user)));
  if (change.features || change.subscription) {
    const { item, subscription } = subscriptionEventData(user);
    const status = user.subscription.status === "past_due" ? "pastDue" : user.subscription.status;
    events.push(event("subscription.updated", subscription), event(`subscriptionItem.${status}`, item));
  }
  return events;
}

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
