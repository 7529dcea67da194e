import type { createClerkClient } from "@clerk/nextjs/server";
import { verifyWebhook } from "@clerk/nextjs/webhooks";
import { NextRequest } from "next/server";

import { createEndpoint, type Endpoint } from "../http/endpoint";
import { readLimitedBody } from "../http/read-limited-body";
import { type LatchkeyServer, openServer } from "../keys";
import { describeFault } from "../platform/logger";
import { applyClerkEvent } from "./apply-event";
import type { ClerkOptions } from "./clerk";
import { type Payer, readSubscriptionAccess } from "./plans";

/** Larger than any event of Clerk's, since a ban that is refused for its size would never take effect. */
const maxBodyBytes = 256 * 1024;

interface WebhookParts {
  getServer: () => LatchkeyServer;
  getClient: () => Pick<ReturnType<typeof createClerkClient>, "billing">;
  /** Reads an organisation's name again. It never throws. */
  refreshName: (organizationId: string) => Promise<void>;
}

/**
 * Makes the endpoint that receives Clerk's events. It checks Clerk's signature (Standard Webhooks, sent by Svix). When the answer is not 2xx,
 * Clerk sends the event again, with longer and longer pauses. Without a webhook secret the endpoint answers 404.
 */
export function createWebhook(
  options: Pick<ClerkOptions, "webhookSecret" | "accessFeature">,
  { getServer, getClient, refreshName }: WebhookParts,
): Endpoint {
  const { webhookSecret = "", accessFeature = "" } = options;
  const readAccess = (owner: Payer) => readSubscriptionAccess(getClient().billing, owner, accessFeature);
  const receive = async (request: Request): Promise<Response> => {
    const body = await readLimitedBody(request, maxBodyBytes);
    if (body === null) return answer(413, { error: "Body too large" });
    const signed = new NextRequest(request.url, { method: "POST", headers: request.headers, body });
    const event = await verifyWebhook(signed, { signingSecret: webhookSecret }).catch(() => null);
    if (!event) return answer(400, { error: "The signature is missing, wrong or too old" });
    const context = openServer(getServer());
    try {
      await applyClerkEvent(context, event, readAccess);
      // A signal, as for plans: events may come late. The name itself is read from Clerk.
      if (event.type === "organization.updated") await refreshName(event.data.id);
      return answer(200, { ok: true });
    } catch (fault) {
      context.logger.error({ event: event.type, fault: describeFault(fault) }, "webhook not handled");
      return answer(503, { error: "Not handled. Send it again" });
    }
  };
  return createEndpoint({ POST: receive }, { isThere: () => webhookSecret !== "" });
}

function answer(status: number, body: { ok: true } | { error: string }): Response {
  return Response.json(body, { status });
}
