import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { TRPC_ERROR_CODES_BY_KEY } from "@trpc/server/rpc";

import { createEndpoint, type Endpoint } from "../server/http/endpoint";
import { openServer } from "../server/keys";
import { readLimitedBody } from "../server/http/read-limited-body";
import { describeFault } from "../server/platform/logger";
import type { ProtectingLatchkey } from "./protect";
import { createAppRouter } from "./root";

/** The largest real input is a few hundred bytes. */
const maxBodyBytes = 64 * 1024;

/**
 * Makes the endpoint of the procedures, for an app that has no tRPC of its own.
 * @param getLatchkey is called for each request, so that a build needs no settings.
 * @param options `endpoint`: the path that the procedures' names follow, such as `/api/trpc`.
 * @returns a handler from fetch's Request to its Response.
 */
export function createTrpcHandler(getLatchkey: () => ProtectingLatchkey, { endpoint }: { endpoint: string }): Endpoint {
  const router = createAppRouter(getLatchkey);

  async function handlePost(request: Request): Promise<Response> {
    const body = await readLimitedBody(request, maxBodyBytes);
    if (body === null) return Response.json({ error: "The request body is too large." }, { status: 413 });
    return handle(new Request(request.url, { method: "POST", headers: request.headers, body, signal: request.signal }));
  }

  function handle(request: Request): Promise<Response> {
    return fetchRequestHandler({
      endpoint,
      req: request,
      router,
      // The page batches at most ten calls.
      maxBatchSize: 10,
      // A query comes with GET, a mutation with POST. tRPC answers the other method with 405.
      responseMeta: ({ type, errors }) => ({
        headers: errors.some(({ code }) => code === "METHOD_NOT_SUPPORTED")
          ? new Headers({ Allow: type === "query" ? "GET, HEAD, OPTIONS" : "POST, OPTIONS" })
          : new Headers(),
      }),
      onError({ error, path, type }) {
        if (error.code !== "INTERNAL_SERVER_ERROR" && error.code !== "SERVICE_UNAVAILABLE") return;
        // The input stays out: it may hold a hash.
        openServer(getLatchkey().server).logger.error(
          { path, type, code: error.code, fault: describeFault(error.cause) },
          "procedure failed",
        );
      },
    });
  }

  return createEndpoint({ GET: handle, POST: handlePost }, { refuse });
}

/** An error in the shape that tRPC's client reads. */
function refuse(): Response {
  const data = { code: "METHOD_NOT_SUPPORTED", httpStatus: 405, domainCode: null, fieldErrors: null };
  const json = {
    message: "This address does not take that method.",
    code: TRPC_ERROR_CODES_BY_KEY.METHOD_NOT_SUPPORTED,
    data,
  };
  return Response.json({ error: { json } }, { status: 405 });
}
