import { getEnvironment } from "@/server/env";
import { createOpenApiDocument } from "@/server/gateway/openapi";

/** The HTTP side as OpenAPI 3.1. */
export function GET(): Response {
  return Response.json(createOpenApiDocument(getEnvironment().APP_ORIGIN));
}

// Not at build time, when the settings are not there yet.
export const dynamic = "force-dynamic";
