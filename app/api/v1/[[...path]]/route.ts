import { createEndpoint } from "@/server/http/endpoint";
import { problemResponse } from "@/server/http/problem";

import { everyMethod } from "../../every-method";

/** Answers every address below /api/v1 that no other route has. */
const nothing = createEndpoint({}, { isThere: () => false, refuse: problemResponse });

export const { DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT } = everyMethod(nothing);
