import type { SecretFormat } from "../shared/secret-format";
import { readCredentials } from "./credentials";
import { type ProblemCode, problemResponse } from "./problem";
import type { RefusalReason, VerifiedKey } from "./verdict";

/** How much of an owner's limit is used. */
export interface CountedLimit {
  isWithin: boolean;
  /** How many calls a minute are allowed. */
  limit: number;
  remaining: number;
  resetSeconds: number;
}

export const problemFor: Record<RefusalReason, ProblemCode> = {
  malformed: "invalid_api_key",
  unknown: "invalid_api_key",
  revoked: "api_key_revoked",
  expired: "api_key_expired",
  access_required: "api_access_required",
};

/** The secret that a request brings, or the answer to a request that brings none. */
export function requireSecret(headers: Headers, format: SecretFormat): string | Response {
  const credentials = readCredentials(headers, format);
  switch (credentials.kind) {
    case "key":
      return credentials.secret;
    case "none":
      return problemResponse("missing_api_key");
    case "foreign":
      return problemResponse("invalid_api_key");
    case "miswritten":
      return problemResponse("invalid_api_key", { detail: credentials.advice });
    case "ambiguous":
      return problemResponse("ambiguous_credentials");
  }
}

/** Those of `scopes` that a key lacks. */
export const missingScopes = (key: VerifiedKey, scopes: readonly string[]) =>
  scopes.filter((scope) => !key.scopes.includes(scope));

/** The answer to a key that lacks one of `scopes`. Null: it has all of them. */
export function refuseScopes(key: VerifiedKey, scopes: readonly string[]): Response | null {
  const missing = missingScopes(key, scopes);
  if (missing.length === 0) return null;
  const detail = `This API key lacks: ${missing.join(", ")}.`;
  return problemResponse("insufficient_scope", { detail, scope: scopes.join(" ") });
}

export function overLimit(limit: CountedLimit): Response {
  const detail = `The owner of this key may make ${limit.limit} requests a minute.`;
  return withHeaders(problemResponse("rate_limited", { detail, retryAfterSeconds: limit.resetSeconds }), limit);
}

/** How a counted limit is told (IETF draft-ietf-httpapi-ratelimit-headers, structured fields). */
export const limitHeaders = ({ limit, remaining, resetSeconds }: CountedLimit) => ({
  "RateLimit-Policy": `"owner";q=${limit};w=60`,
  RateLimit: `"owner";r=${remaining};t=${resetSeconds}`,
});

/**
 * Forbids caching. Where a limit was counted, the headers tell it. Where the secret has an end, a header tells that (a Date of RFC 9651, in
 * whole seconds).
 */
export function withHeaders(response: Response, limit: CountedLimit | null, expiresAt: Date | null = null): Response {
  const headers = new Headers(response.headers);
  headers.set("Cache-Control", "no-store");
  for (const [name, value] of Object.entries(limit ? limitHeaders(limit) : {})) headers.set(name, value);
  if (expiresAt) headers.set("API-Key-Expires", `@${Math.floor(expiresAt.getTime() / 1_000)}`);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
