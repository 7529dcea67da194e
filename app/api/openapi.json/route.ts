import { getEnvironment } from "@/server/env";
import { createOpenApiDocument } from "@/server/gateway/openapi";

/** The HTTP side as OpenAPI 3.1. */
export function GET(): Response {
  const document = createOpenApiDocument(getEnvironment().APP_ORIGIN);
  return Response.json(document, { headers: { "Cache-Control": "no-store" } });
}

// Not at build time, when the settings are not there yet.
export const dynamic = "force-dynamic";
