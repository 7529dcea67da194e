import { Webhook } from "standardwebhooks";

import type { KeyEvent } from "../shared/key-event";

export interface OutgoingEvent extends KeyEvent {
  ownerId: string;
}

/**
 * What is sent of an event. It depends on the event's row alone, and rows never change. So it is the same at every attempt, byte by byte.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const bodyOf = (event: OutgoingEvent): string =>
  JSON.stringify({ type: event.action.replace(/^key\./, "api_key."), timestamp: event.at, data: event });

/**
 * Makes the headers of a message.
 * @param secret `whsec_` and base64; two of them, separated by a space, while it is changed. Then each message carries both signatures.
 */
export function createSigner(secret: string) {
  const webhooks = secret.split(" ").map((one) => new Webhook(one));
  return (id: string, at: Date, body: string): Record<string, string> => ({
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
    "webhook-signature": webhooks.map((webhook) => webhook.sign(id, at, body)).join(" "),
  });
}
