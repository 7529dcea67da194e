/** Every error of the gateway, by its code. The `type` of RFC 9457 is made of the code. */
const problems = {
  ambiguous_credentials: {
    status: 400,
    title: "Two different API keys",
    detail: "The request holds different keys, in two headers or in one that is repeated. Send one.",
  },
  missing_api_key: {
    status: 401,
    title: "No API key",
    detail: "Send an API key as `Authorization: Bearer <key>` or `X-API-Key: <key>`.",
  },
  invalid_api_key: { status: 401, title: "Invalid API key", detail: "There is no such API key here." },
  api_key_revoked: { status: 401, title: "API key revoked", detail: "This API key was revoked." },
  api_key_expired: { status: 401, title: "API key expired", detail: "This API key has expired." },
  api_access_required: {
    status: 403,
    title: "No API access",
    detail: "The plan of this key's owner does not include API access.",
  },
  insufficient_scope: {
    status: 403,
    title: "Insufficient scope",
    detail: "This API key lacks a scope that is needed.",
  },
  rate_limited: { status: 429, title: "Too many requests", detail: "The limit of requests a minute is reached." },
  not_found: { status: 404, title: "Not found", detail: "There is nothing at this address." },
  leaks_off: { status: 404, title: "Not found", detail: "Reports of GitHub's secret scanning are not turned on here." },
  method_not_allowed: { status: 405, title: "Method not allowed", detail: "This address does not take that method." },
  body_too_large: { status: 413, title: "Body too large", detail: "The body is longer than this address takes." },
  invalid_signature: {
    status: 401,
    title: "Invalid signature",
    detail: "The signature of the body is missing, is wrong, or was made with a key that GitHub does not publish.",
  },
  invalid_body: {
    status: 422,
    title: "Invalid body",
    detail: "The body is not what this address takes, or it did not arrive in time.",
  },
  keys_unavailable: {
    status: 503,
    title: "Keys unavailable",
    detail: "The keys with which GitHub signs cannot be read right now. Send it again.",
  },
  verification_unavailable: {
    status: 503,
    title: "Verification unavailable",
    detail: "The API key could not be checked right now. It may be good; try again.",
  },
} as const;

export type ProblemCode = keyof typeof problems;

const outageRetrySeconds = 1;

interface ProblemOptions {
  detail?: string;
  /** The scopes that are needed, separated by spaces. */
  scope?: string;
  /** The methods that are allowed. */
  allow?: string;
  retryAfterSeconds?: number;
}

/**
 * Makes an error answer: `application/problem+json` (RFC 9457), with `no-store`, and with the challenge of RFC 6750 where one is due.
 * @param options.detail replaces the code's own detail.
 * @param options.retryAfterSeconds in whole seconds, for `Retry-After`.
 * @example
 * const response = problemResponse("rate_limited", { retryAfterSeconds: 30 });
 */
export function problemResponse(code: ProblemCode, options: ProblemOptions = {}): Response {
  const { status, title, detail } = problems[code];
  const headers = new Headers({ "Content-Type": "application/problem+json", "Cache-Control": "no-store" });
  if (options.allow) headers.set("Allow", options.allow);
  const challenge = challengeFor(code, options.scope);
  if (challenge) headers.set("WWW-Authenticate", challenge);
  if (status === 503) headers.set("Retry-After", String(outageRetrySeconds));
  if (options.retryAfterSeconds) headers.set("Retry-After", String(options.retryAfterSeconds));
  const type = `urn:latchkey:problem:${code}`;
  return new Response(JSON.stringify({ type, title, status, detail: options.detail ?? detail, code }), {
    status,
    headers,
  });
}

/** The value of `WWW-Authenticate`. It has no error code where no key was sent (RFC 6750, section 3). */
function challengeFor(code: ProblemCode, scope: string | undefined): string | null {
  if (code === "insufficient_scope") return `Bearer realm="api", error="insufficient_scope", scope="${scope ?? ""}"`;
  if (code === "invalid_signature") return "Github-Public-Key-Signature";
  if (problems[code].status !== 401) return null;
  return code === "missing_api_key" ? 'Bearer realm="api"' : 'Bearer realm="api", error="invalid_token"';
}
