import { getLatchkey } from "@/latchkey";
import { createEndpoint } from "@/server/http/endpoint";
import { createOpenApiDocument } from "@/server/http/openapi";

import { everyMethod } from "../every-method";

/** The HTTP side as OpenAPI 3.1. */
const openApi = createEndpoint({
  GET: () => Response.json(createOpenApiDocument(getLatchkey().environment.APP_ORIGIN)),
});

export const { DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT } = everyMethod(openApi);

// Made when it is asked for, and not at build time, since the settings are not there then.
export const dynamic = "force-dynamic";
