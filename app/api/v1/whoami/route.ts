import { createEndpoint } from "@/server/http/endpoint";
import { problemResponse } from "@/server/http/problem";

import { everyMethod } from "../../every-method";
import { revokeSelf, withApiKey } from "../../gateway";

/** Tells which key this is, and whose. It is the smallest protected route, and other gateways verify keys with it. */
const describeKey = withApiKey((_request, { key }) => {
  const { keyId, ownerId, name, environment, scopes, expiresAt } = key;
  return Response.json({ keyId, ownerId, name, environment, scopes, expiresAt });
});

/** With `DELETE` a key revokes itself. */
const whoami = createEndpoint(
  { GET: (request) => describeKey(request, {}), DELETE: revokeSelf },
  { refuse: problemResponse },
);

export const { DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT } = everyMethod(whoami);
