import { createEndpoint } from "@/server/http/endpoint";

import { everyMethod } from "../every-method";

/** Every address below /api that no other route has: a program is not answered with a page. */
const nothing = createEndpoint({}, { isThere: () => false });

export const { DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT } = everyMethod(nothing);
