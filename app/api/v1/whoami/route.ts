import { createEndpoint } from "@/server/http/endpoint";
import { problemResponse } from "@/server/http/problem";

import { everyMethod } from "../../every-method";
import { revokeSelf, withApiKey } from "../../gateway";

/** Which key is this, and whose? The smallest protected route, and a check for other gateways. */
const describeKey = withApiKey((_request, { key }) => {
  const { keyId, ownerId, name, environment, scopes, expiresAt } = key;
  return Response.json({ keyId, ownerId, name, environment, scopes, expiresAt });
});

/** `DELETE`: a key revokes itself. */
const whoami = createEndpoint(
  { GET: (request) => describeKey(request, {}), DELETE: revokeSelf },
  { refuse: problemResponse },
);

export const { DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT } = everyMethod(whoami);
