import { getLatchkey } from "@/latchkey";
import { createEndpoint, refuseWithStatus } from "@/server/http/endpoint";
import { bearsSecret } from "@/server/http/shared-secret";
import { drainPurges } from "@/server/outbox/drain";

import { everyMethod } from "../../every-method";

const secret = () => getLatchkey().environment.CRON_SECRET;

/** Drains the outbox once, for hosts without a long-lived server. */
async function drain(request: Request): Promise<Response> {
  if (!bearsSecret(request, secret())) return new Response(null, { status: 401 });
  const { confirmed, failed } = await drainPurges(getLatchkey().context);
  return Response.json({ confirmed, failed });
}

const purge = createEndpoint({ GET: drain }, { isThere: () => secret() !== undefined, refuse: refuseWithStatus });

export const { DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT } = everyMethod(purge);
