import "server-only";

import { getLatchkey } from "@/latchkey";
import { createRevokeSelf, createWithApiKey } from "@/server/http/with-api-key";

const getContext = () => getLatchkey().context;

/** Protects a route: `export const GET = withApiKey(handler, { scopes: ["reports:read"] })`. */
export const withApiKey = createWithApiKey(getContext);

/** Answers a `DELETE` with which a key revokes itself. */
export const revokeSelf = createRevokeSelf(getContext);
