import { createClerkClient } from "@clerk/nextjs/server";
import { verifyWebhook } from "@clerk/nextjs/webhooks";
import { NextRequest } from "next/server";

import { getServerContext } from "@/server/context";
import { type Environment, getEnvironment } from "@/server/settings/env";
import { createEndpoint } from "@/server/http/endpoint";
import { readLimitedBody } from "@/server/http/read-limited-body";
import { describeFault } from "@/server/platform/logger";

import { everyMethod } from "../../every-method";
import { applyClerkEvent } from "../../../../server/clerk/apply-event";
import { readSubscriptionAccess } from "../../../../server/clerk/plans";

/** Far above any event of Clerk's: a ban that is refused for its size would never take effect. */
const maxBodyBytes = 256 * 1024;

const secret = () => getEnvironment().CLERK_WEBHOOK_SIGNING_SECRET;

/**
 * Clerk's events, in Clerk's signature (Standard Webhooks, sent by Svix). Whatever is not answered with 2xx is sent again, with longer and
 * longer pauses.
 */
async function receive(request: Request): Promise<Response> {
  const environment = getEnvironment();
  const body = await readLimitedBody(request, maxBodyBytes);
  if (body === null) return answer(413, { error: "Body too large" });
  const event = await verifyWebhook(new NextRequest(request.url, { method: "POST", headers: request.headers, body }), {
    signingSecret: secret() ?? "",
  }).catch(() => null);
  if (!event) return answer(400, { error: "The signature is missing, wrong or too old" });
  const { logger } = getServerContext();
  try {
    await applyClerkEvent(getServerContext(), event, (userId) => readAccess(environment, userId));
    return answer(200, { ok: true });
  } catch (fault) {
    logger.error({ event: event.type, fault: describeFault(fault) }, "webhook not handled");
    return answer(503, { error: "Not handled. Send it again" });
  }
}

function readAccess(environment: Environment, userId: string) {
  const { billing } = createClerkClient({
    secretKey: environment.CLERK_SECRET_KEY,
    ...(environment.CLERK_API_URL && { apiUrl: environment.CLERK_API_URL }),
  });
  return readSubscriptionAccess(billing, userId, environment.API_ACCESS_FEATURE ?? "");
}

function answer(status: number, body: { ok: true } | { error: string }): Response {
  return Response.json(body, { status });
}

const webhook = createEndpoint({ POST: receive }, { isThere: () => secret() !== undefined });

export const { DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT } = everyMethod(webhook);
