import type { z } from "zod";

import { verifyApiKey, type VerifyContext } from "../keys";
import { describeFault } from "../platform/logger";
import { readLimitedBody } from "./read-limited-body";
import type { introspectionSchema } from "./schemas";
import { bearsSecret } from "./shared-secret";

type Introspection = z.infer<typeof introspectionSchema>;

const maxBodyBytes = 16 * 1024;
const inactive: Introspection = { active: false };

/**
 * Token introspection (RFC 7662). A gateway in any language asks here about a key that it was sent. The key is the RFC's `token`.
 * @param secret INTROSPECTION_SECRET, which the caller has to send as its bearer. Undefined: every request is answered with 404.
 * @returns 200 with what is known of the key. For every key that is not accepted it is exactly `{ active: false }`, whatever the reason.
 *   401 for a wrong secret, 400 for a body without one `token`, and 503 when there can be no verdict.
 */
export async function introspect(
  context: VerifyContext,
  secret: string | undefined,
  request: Request,
): Promise<Response> {
  if (!secret) return answer(404, null);
  if (!bearsSecret(request, secret))
    return answer(401, { error: "invalid_client" }, { "WWW-Authenticate": 'Bearer realm="introspection"' });
  const token = await readToken(request);
  if (token === null) return answer(400, { error: "invalid_request" });
  try {
    const verification = await verifyApiKey(context, token);
    if (!verification.valid) return answer(200, inactive);
    const { key } = verification;
    const active: Introspection = {
      active: true,
      token_type: "Bearer",
      sub: key.ownerId,
      client_id: key.keyId,
      createdBy: key.createdBy,
      scope: key.scopes.join(" "),
      iat: Math.floor(key.createdAt.getTime() / 1_000),
      ...(key.expiresAt && { exp: Math.floor(key.expiresAt.getTime() / 1_000) }),
    };
    return answer(200, active);
  } catch (fault) {
    context.logger.warn({ fault: describeFault(fault) }, "introspection unavailable");
    return answer(503, { error: "temporarily_unavailable" }, { "Retry-After": "1" });
  }
}

/** The form field `token`. Null when there is none or more than one, when the body is no form, or when it is too long. */
async function readToken(request: Request): Promise<string | null> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") return null;
  const body = await readLimitedBody(request, maxBodyBytes);
  const [token, ...others] = new URLSearchParams(body ?? "").getAll("token");
  return token && others.length === 0 ? token : null;
}

/** An error of the endpoint itself. Only the status says what is wrong, since RFC 6749 has no code for a wrong method. */
export function refuseIntrospection(refusal: "not_found" | "method_not_allowed"): Response {
  return refusal === "not_found" ? answer(404, null) : answer(405, { error: "invalid_request" });
}

function answer(status: number, body: object | null, headers: Record<string, string> = {}): Response {
  const all = { "Cache-Control": "no-store", ...headers };
  return body === null ? new Response(null, { status, headers: all }) : Response.json(body, { status, headers: all });
}
