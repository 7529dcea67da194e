import { problemResponse } from "@/server/gateway/problem";

import { revokeSelf, withApiKey } from "../../gateway";

/** Which key is this, and whose? The smallest protected route, and a check for other gateways. */
export const GET = withApiKey((_request, { key }) => {
  const { keyId, ownerId, name, environment, scopes, expiresAt } = key;
  return Response.json({ keyId, ownerId, name, environment, scopes, expiresAt });
});

/** A key revokes itself. */
export const DELETE = revokeSelf;

const methodNotAllowed = () => problemResponse("method_not_allowed", { allow: "GET, HEAD, DELETE" });

export { methodNotAllowed as PATCH, methodNotAllowed as POST, methodNotAllowed as PUT };
