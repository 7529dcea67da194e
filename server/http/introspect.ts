import type { z } from "zod";

import { limitHeaders, missingScopes } from "../gateway/answers";
import { noncePattern, originHeaders } from "../gateway/origin-headers";
import { type Verification, type VerifiedKey, verifyApiKey, type VerifyContext } from "../keys";
import { describeFault } from "../platform/logger";
import { consultLimit } from "./consult-limit";
import { readLimitedBody } from "./read-limited-body";
import type { introspectionSchema } from "./schemas";
import { bearsSecret } from "./shared-secret";

type Introspection = z.infer<typeof introspectionSchema>;

const maxBodyBytes = 16 * 1024;
const inactive: Introspection = { active: false };

/** What is asked. Beside the token it is our own, for a verifier that stands where `withApiKey` does. */
interface Question {
  token: string;
  /** Is told back in a header, and with it why a key is refused. */
  nonce: string | null;
  /** The scopes that the route needs. With it the call counts against the owner's limit, if the key has all of them. */
  scopes: string[] | null;
}

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
  if (!bearsSecret(request, secret)) return answerIntrospection("invalid_client");
  const question = await readQuestion(request);
  if (question === null) return answerIntrospection("invalid_request");
  try {
    const verification = await verifyApiKey(context, question.token);
    const headers = await headersFor(context, question, verification);
    return answer(200, verification.valid ? describe(verification.key) : inactive, headers);
  } catch (fault) {
    context.logger.warn({ fault: describeFault(fault) }, "introspection unavailable");
    return answerIntrospection("temporarily_unavailable");
  }
}

function describe(key: VerifiedKey): Introspection {
  return {
    active: true,
    token_type: "Bearer",
    sub: key.ownerId,
    client_id: key.keyId,
    createdBy: key.createdBy,
    name: key.name,
    environment: key.environment,
    secret: key.secret,
    requestsPerMinute: key.requestsPerMinute,
    scope: key.scopes.join(" "),
    createdAt: key.createdAt.toISOString(),
    expiresAt: key.expiresAt?.toISOString() ?? null,
    iat: Math.floor(key.createdAt.getTime() / 1_000),
    ...(key.expiresAt && { exp: Math.floor(key.expiresAt.getTime() / 1_000) }),
  };
}

async function headersFor(
  context: VerifyContext,
  { nonce, scopes }: Question,
  verification: Verification,
): Promise<Record<string, string>> {
  if (nonce === null) return {};
  const base = {
    [originHeaders.nonce]: nonce,
    [originHeaders.access]: context.settings.accessFeature === undefined ? "everybody" : "required",
  };
  if (!verification.valid) return { ...base, [originHeaders.refusal]: verification.reason };
  if (scopes === null || missingScopes(verification.key, scopes).length > 0) return base;
  const limit = await consultLimit(context, verification.key);
  if (!limit) return base;
  const refusal = limit.isWithin ? {} : { [originHeaders.refusal]: "rate_limited" };
  return { ...base, ...limitHeaders(limit), ...refusal };
}

/** The form's fields. Null when there is not exactly one token, when the body is no form, or when it is too long. */
async function readQuestion(request: Request): Promise<Question | null> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") return null;
  const form = new URLSearchParams((await readLimitedBody(request, maxBodyBytes)) ?? "");
  const [token, ...others] = form.getAll("token");
  if (!token || others.length > 0) return null;
  const nonce = form.get("nonce");
  const scopes =
    form
      .get("scope")
      ?.split(" ")
      .filter((scope) => scope !== "") ?? null;
  return { token, nonce: nonce !== null && noncePattern.test(nonce) ? nonce : null, scopes };
}

const errors = {
  invalid_client: { status: 401, headers: { "WWW-Authenticate": 'Bearer realm="introspection"' } },
  invalid_request: { status: 400, headers: {} },
  temporarily_unavailable: { status: 503, headers: { "Retry-After": "1" } },
};

/** An error in the words of RFC 6749. */
export function answerIntrospection(error: keyof typeof errors): Response {
  return answer(errors[error].status, { error }, errors[error].headers);
}

/** An error of the endpoint itself. Only the status says what is wrong, since RFC 6749 has no code for a wrong method. */
export function refuseIntrospection(refusal: "not_found" | "method_not_allowed"): Response {
  return refusal === "not_found" ? answer(404, null) : answer(405, { error: "invalid_request" });
}

function answer(status: number, body: object | null, headers: Record<string, string> = {}): Response {
  const all = { "Cache-Control": "no-store", ...headers };
  return body === null ? new Response(null, { status, headers: all }) : Response.json(body, { status, headers: all });
}
