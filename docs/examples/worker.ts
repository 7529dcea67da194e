import { createEdgeVerifier, type EdgeRouteContext } from "latchkey/edge";

/** A Cloudflare Worker with one protected route. Its settings are the app's. */
interface Environment {
  UPSTASH_REDIS_REST_URL: string;
  UPSTASH_REDIS_REST_TOKEN: string;
  APP_ORIGIN: string;
  INTROSPECTION_SECRET: string;
  API_KEY_ENVIRONMENT?: "live" | "test";
}
interface ExecutionContext {
  waitUntil: (task: Promise<unknown>) => void;
}

let reports: ((request: Request, context: EdgeRouteContext) => Promise<Response>) | undefined;

/** Made once for each isolate, since a Worker knows its settings only with a request. */
function protectReports(env: Environment) {
  const verifier = createEdgeVerifier({
    redis: { url: env.UPSTASH_REDIS_REST_URL, token: env.UPSTASH_REDIS_REST_TOKEN },
    origin: env.APP_ORIGIN,
    introspectionSecret: env.INTROSPECTION_SECRET,
    secretFormat: { environment: env.API_KEY_ENVIRONMENT ?? "live" },
  });
  return verifier.withApiKey((_request, { key }) => Response.json({ keyId: key.keyId, ownerId: key.ownerId }), {
    scopes: ["reports:read"],
  });
}

export default {
  fetch(request: Request, env: Environment, ctx: ExecutionContext): Promise<Response> {
    reports ??= protectReports(env);
    return reports(request, { waitUntil: (task) => ctx.waitUntil(task) });
  },
};
