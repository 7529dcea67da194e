import { everyMethod } from "latchkey/http";
import { createTrpcHandler } from "latchkey/trpc";

import { getLatchkey } from "../../../server/latchkey";

const procedures = createTrpcHandler(getLatchkey, { endpoint: "/api/trpc" });

/**
 * Mounts every endpoint of Latchkey below /api, and the procedures of the settings page. A route that is more specific wins over this one: with
 * an `app/api/trpc/[trpc]/route.ts` of your own, add the router `apiKeys` to your root instead.
 */
export const { DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT } = everyMethod((request) =>
  new URL(request.url).pathname.startsWith("/api/trpc/") ? procedures(request) : getLatchkey().handler(request),
);
