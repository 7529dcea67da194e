import "server-only";

import { after } from "next/server";

import { getServerContext } from "@/server/context";
import { createSelfRevoke, createWithApiKey } from "@/server/http/with-api-key";

// Next's after() runs a deferred task to its end, also on functions that freeze once they have answered.
export const getGatewayContext = () => ({ ...getServerContext(), defer: (task: () => Promise<void>) => after(task) });

/** Protects a route: `export const GET = withApiKey(handler, { scopes: ["reports:read"] })`. */
export const withApiKey = createWithApiKey(getGatewayContext);

export const revokeSelf = createSelfRevoke(getGatewayContext);
