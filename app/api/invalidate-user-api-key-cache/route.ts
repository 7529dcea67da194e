import { getLatchkey } from "@/latchkey";
import { createOriginalEndpoint } from "@/server/http/original-endpoint";

import { everyMethod } from "../every-method";

const endpoint = createOriginalEndpoint({
  getContext: () => getLatchkey().context,
  identity: { verifyBearer: (request) => getLatchkey().clerk.verifyBearer(request) },
  isAllowedOrigin(origin) {
    const { APP_ORIGIN, ALLOWED_ORIGINS } = getLatchkey().environment;
    return origin === APP_ORIGIN || ALLOWED_ORIGINS.includes(origin);
  },
});

export const { DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT } = everyMethod(endpoint);
