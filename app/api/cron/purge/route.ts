import { getServerContext } from "@/server/context";
import { getEnvironment } from "@/server/env";
import { bearsSecret } from "@/server/gateway/shared-secret";
import { drainPurges } from "@/server/outbox/drain";

/** Drains the outbox once, for hosts without a long-lived server. 404 where no secret is set: the endpoint is not there. */
export async function GET(request: Request): Promise<Response> {
  const { CRON_SECRET } = getEnvironment();
  const headers = { "Cache-Control": "no-store" };
  if (!CRON_SECRET) return new Response(null, { status: 404, headers });
  if (!bearsSecret(request, CRON_SECRET)) return new Response(null, { status: 401, headers });
  const { confirmed, failed } = await drainPurges(getServerContext());
  return Response.json({ confirmed, failed }, { headers });
}
