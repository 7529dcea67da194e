import { fetchRequestHandler } from "@trpc/server/adapters/fetch";

import { getServerContext } from "@/server/context";
import { readLimitedBody } from "@/server/gateway/read-limited-body";
import { describeFault } from "@/server/logger";
import { createTrpcContext } from "@/trpc/context";
import { expectedOwnerHeader } from "@/trpc/expected-owner";
import { appRouter } from "@/trpc/routers";

const endpoint = "/api/trpc";

/** The largest real input is a few hundred bytes. */
const maxBodyBytes = 64 * 1024;

async function handlePost(request: Request): Promise<Response> {
  const body = await readLimitedBody(request, maxBodyBytes);
  const headers = { "Cache-Control": "no-store" };
  if (body === null) return Response.json({ error: "The request body is too large." }, { status: 413, headers });
  return handle(new Request(request.url, { method: "POST", headers: request.headers, body, signal: request.signal }));
}

function handle(request: Request): Promise<Response> {
  return fetchRequestHandler({
    endpoint,
    req: request,
    router: appRouter,
    createContext: ({ req }) => createTrpcContext(req.headers.get(expectedOwnerHeader)),
    // The page batches at most ten calls.
    maxBatchSize: 10,
    responseMeta: () => ({ headers: new Headers({ "Cache-Control": "no-store" }) }),
    onError({ error, path, type }) {
      if (error.code !== "INTERNAL_SERVER_ERROR" && error.code !== "SERVICE_UNAVAILABLE") return;
      // The input stays out: it may hold a hash.
      getServerContext().logger.error(
        { path, type, code: error.code, fault: describeFault(error.cause) },
        "procedure failed",
      );
    },
  });
}

export { handle as GET, handlePost as POST };
