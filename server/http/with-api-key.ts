import {
  type LatchkeyServer,
  openServer,
  revokeSelf,
  type Verification,
  type VerifiedKey,
  VerificationUnavailableError,
  verifyApiKey,
  type VerifyContext,
} from "../keys";
import { clientAddress } from "./client-address";
import { describeFault } from "../platform/logger";
import { consultLimit } from "./consult-limit";
import { overLimit, problemFor, refuseScopes, requireSecret, withHeaders } from "../gateway/answers";
import { problemResponse } from "../gateway/problem";

/** A host app's handler. Beside the request it gets the key, and what its router passes on (with Next, `params`). */
export type KeyedHandler<RouteContext> = (
  request: Request,
  context: RouteContext & { key: VerifiedKey },
) => Response | Promise<Response>;

/**
 * Makes `withApiKey`. It wraps a route handler so that the handler runs only for a valid API key that has all of `scopes` and is within its
 * owner's limit. The request then speaks for the key's owner, and for nobody else.
 * @returns `withApiKey(handler, { scopes })`. The wrapped handler answers every other request with a problem (RFC 9457): 400 for two
 *   different keys, 401 for a missing, unknown, revoked or expired key, 403 without access or a scope, 429 over a limit, 503 when there can
 *   be no verdict. It throws what the handler throws.
 * @example
 * const withApiKey = createWithApiKey(() => context);
 * const GET = withApiKey((_request, { key }) => Response.json({ owner: key.ownerId }), { scopes: ["reports:read"] });
 */
export function createWithApiKey(getContext: () => VerifyContext) {
  return <RouteContext = unknown>(handler: KeyedHandler<RouteContext>, options: { scopes?: readonly string[] } = {}) =>
    async (request: Request, routeContext: RouteContext): Promise<Response> => {
      const context = getContext();
      const secret = requireSecret(request.headers, context.settings.secretFormat);
      if (secret instanceof Response) return secret;
      const address = clientAddress(request.headers, context.settings.trustedProxyHops);
      const key = await authenticate(context, secret, address, options.scopes ?? []);
      if (key instanceof Response) return key;
      const limit = await consultLimit(context, key);
      if (limit && !limit.isWithin) return overLimit(limit);
      return withHeaders(await handler(request, { ...routeContext, key }), limit, key.expiresAt);
    };
}

/** What `withApiKey` uses of the result of `createLatchkey`. `Scope` is one of the scopes that the app knows. */
export interface KeyingLatchkey<Scope extends string> {
  server: LatchkeyServer;
  scopes: readonly Scope[];
}

/**
 * Protects a route: the handler runs only for a valid API key that has all of `scopes`, see `createWithApiKey`.
 * @param latchkey the result of `createLatchkey`; or a function that gives it, which is called for each request, so that a build needs no settings.
 * @param options `scopes`: those that a key must have, all of them.
 * @returns the handler for the route.
 * @example
 * export const GET = withApiKey(getLatchkey, (_request, { key }) => Response.json(reportsOf(key.ownerId)), { scopes: ["reports:read"] });
 */
export function withApiKey<Scope extends string, RouteContext = unknown>(
  latchkey: KeyingLatchkey<Scope> | (() => KeyingLatchkey<Scope>),
  handler: KeyedHandler<RouteContext>,
  options: { scopes?: readonly NoInfer<Scope>[] } = {},
) {
  const getContext = () => openServer((typeof latchkey === "function" ? latchkey() : latchkey).server);
  return createWithApiKey(getContext)(handler, options);
}

/**
 * Makes the handler with which a key revokes itself: `DELETE`, with the key as its credential.
 * @returns a handler. It answers 200 with the `Effect`, also for a key that was revoked before; 400 for two different keys; 401 for a missing
 *   or unknown key; 503 when the key was not revoked or that is not known.
 * @example
 * const revokeSelf = createRevokeSelf(() => context);
 * const whoami = createEndpoint({ DELETE: revokeSelf });
 */
export function createRevokeSelf(getContext: () => VerifyContext) {
  return async (request: Request): Promise<Response> => {
    const context = getContext();
    const secret = requireSecret(request.headers, context.settings.secretFormat);
    if (secret instanceof Response) return secret;
    try {
      const effect = await revokeSelf(context, secret);
      return effect ? withHeaders(Response.json(effect), null) : problemResponse("invalid_api_key");
    } catch (fault) {
      context.logger.warn({ fault: describeFault(fault) }, "revokeSelf failed");
      return problemResponse("verification_unavailable", {
        detail: "The API key was not revoked, or that is not known. Try again.",
      });
    }
  };
}

async function authenticate(
  context: VerifyContext,
  secret: string,
  address: string | null,
  scopes: readonly string[],
): Promise<VerifiedKey | Response> {
  try {
    const verification = await verifyApiKey(context, secret, address);
    if (!verification.valid) return refusal(verification);
    return refuseScopes(verification.key, scopes) ?? verification.key;
  } catch (fault) {
    if (!(fault instanceof VerificationUnavailableError)) throw fault;
    context.logger.warn({ fault: describeFault(fault) }, "verification unavailable");
    return problemResponse("verification_unavailable");
  }
}

function refusal(verification: Extract<Verification, { valid: false }>): Response {
  return verification.reason === "rate_limited"
    ? problemResponse("rate_limited", { retryAfterSeconds: verification.retryAfterSeconds })
    : problemResponse(problemFor[verification.reason]);
}
