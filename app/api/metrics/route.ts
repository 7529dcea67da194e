import { getServerContext } from "@/server/context";
import { getEnvironment } from "@/server/env";
import { bearsSecret } from "@/server/gateway/shared-secret";

/** This process's metrics in Prometheus's text format. 404 where no secret is set: the endpoint is not there. */
export async function GET(request: Request): Promise<Response> {
  const { METRICS_SECRET } = getEnvironment();
  const headers = new Headers({ "Cache-Control": "no-store" });
  if (!METRICS_SECRET) return new Response(null, { status: 404, headers });
  if (!bearsSecret(request, METRICS_SECRET)) return new Response(null, { status: 401, headers });
  const { text, contentType } = await getServerContext().metrics.render();
  headers.set("Content-Type", contentType);
  return new Response(text, { headers });
}
