import { createEndpoint } from "@/server/http/endpoint";

import { everyMethod } from "../every-method";

/** Answers every address below /api that no other route has, so that a program never gets a page. */
const nothing = createEndpoint({}, { isThere: () => false });

export const { DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT } = everyMethod(nothing);
