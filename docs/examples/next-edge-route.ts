import { createEdgeVerifier, type EdgeRouteContext } from "latchkey/edge";
import { after } from "next/server";

/** A route of Next on the edge runtime, such as `app/api/v1/reports/route.ts`. Its settings are the app's. */
export const runtime = "edge";

let reports: ((request: Request, context: EdgeRouteContext) => Promise<Response>) | undefined;

function protectReports() {
  const verifier = createEdgeVerifier({
    redis: {
      url: process.env.UPSTASH_REDIS_REST_URL ?? "",
      token: process.env.UPSTASH_REDIS_REST_TOKEN ?? "",
    },
    origin: process.env.APP_ORIGIN ?? "",
    introspectionSecret: process.env.INTROSPECTION_SECRET ?? "",
  });
  return verifier.withApiKey((_request, { key }) => Response.json(key.ownerId), { scopes: ["reports:read"] });
}

export function GET(request: Request) {
  reports ??= protectReports();
  return reports(request, { waitUntil: (task) => after(() => task) });
}
