import { Webhook } from "standardwebhooks";

type Event = { type: string; data: { ownerId: string; keyName: string | null; detail: Record<string, unknown> } };

/** What the owner is told. Every other event is received, and nobody gets a mail about it. */
const mails: Record<string, (event: Event) => string> = {
  "api_key.exposed": ({ data }) => `Your API key "${data.keyName}" was found in public.`,
  "api_key.revoked": ({ data }) => `Your API key "${data.keyName}" was revoked.`,
  "api_key.expiring": ({ data }) => `Your API key "${data.keyName}" expires at ${String(data.detail.expiresAt)}.`,
};

/**
 * The receiver of Latchkey's events, as a handler of fetch's Request.
 * @param sendMail the app's own. The id is the same when an event comes again: pass it on as the mail's idempotency key, or keep it in a table.
 */
export function receiveEvents(secret: string, sendMail: (ownerId: string, text: string, id: string) => Promise<void>) {
  const webhook = new Webhook(secret);
  return async (request: Request): Promise<Response> => {
    const body = await request.text();
    try {
      webhook.verify(body, Object.fromEntries(request.headers));
    } catch {
      return new Response("not signed by us", { status: 401 });
    }
    const event = JSON.parse(body) as Event;
    const text = mails[event.type]?.(event);
    // When this throws, the answer is no 2xx, and the event comes again.
    if (text !== undefined) await sendMail(event.data.ownerId, text, request.headers.get("webhook-id") ?? "");
    return new Response(null, { status: 204 });
  };
}
