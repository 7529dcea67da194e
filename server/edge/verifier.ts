import {
  type CountedLimit,
  missingScopes,
  overLimit,
  problemFor,
  refuseScopes,
  requireSecret,
  withHeaders,
} from "../gateway/answers";
import { problemResponse } from "../gateway/problem";
import {
  refusalOf,
  toVerifiedKey,
  VerificationUnavailableError,
  type RefusalReason,
  type VerifiedKey,
} from "../gateway/verdict";
import { isWellFormedSecret } from "../shared/secret-format";
import { createOrigin, type OriginVerdict } from "./origin";
import { checkOptions, type EdgeOptions } from "./options";
import { createSlotReader } from "./slot-reader";
import { createUses, type WaitUntil } from "./uses";

export type EdgeVerification = { valid: true; key: VerifiedKey } | { valid: false; reason: RefusalReason };

/** What a host passes on with a request. */
export interface EdgeRouteContext {
  /** The request's own, such as `(task) => ctx.waitUntil(task)` in a Worker. */
  waitUntil?: WaitUntil;
}

/** A handler. Beside the request it gets the key, and what the host passes on. */
export type EdgeHandler<RouteContext> = (
  request: Request,
  context: RouteContext & { key: VerifiedKey },
) => Response | Promise<Response>;

export interface EdgeVerifier {
  /**
   * Decides whether a secret is accepted now.
   * @throws VerificationUnavailableError when there can be no verdict: the key may be good.
   */
  verify: (secret: string, context?: EdgeRouteContext) => Promise<EdgeVerification>;
  /** Protects a handler, with the same answers as `withApiKey` of `latchkey/http`. */
  withApiKey: <RouteContext extends EdgeRouteContext = EdgeRouteContext>(
    handler: EdgeHandler<RouteContext>,
    options?: { scopes?: readonly string[] },
  ) => (request: Request, context: RouteContext) => Promise<Response>;
}

/**
 * Makes a verifier that needs Web standards alone. A hit costs one Redis request. Whatever else the slot says, the origin decides by
 * introspection; it alone leases, reads the database and fills. So nothing is accepted that the origin would not accept, and P1 and P2 hold.
 *
 * Nothing of a key is remembered between two calls. Make one verifier for each isolate, since it gathers the uses that it reports.
 * @throws Error that names every option that is missing or could never work.
 * @example
 * const verifier = createEdgeVerifier({ redis: { url, token }, origin: "https://app.example.com", introspectionSecret });
 * const reports = verifier.withApiKey((_request, { key }) => Response.json(key.ownerId), { scopes: ["reports:read"] });
 * export default { fetch: (request, env, ctx) => reports(request, { waitUntil: (task) => ctx.waitUntil(task) }) };
 */
export function createEdgeVerifier(options: EdgeOptions): EdgeVerifier {
  const settings = checkOptions(options);
  const { secretFormat } = settings;
  const readSlot = createSlotReader(settings);
  const origin = createOrigin(settings);
  const countUse = createUses(settings);
  const runOn: WaitUntil = (task) => void task;

  /** The key of a value that is good by the present clock. Null: the origin has to decide. */
  async function readKey(hex: string): Promise<VerifiedKey | null> {
    const payload = await readSlot(hex);
    const now = Date.now();
    const { environment } = secretFormat;
    if (!payload || refusalOf(payload, { environment, requiresAccess: origin.requiresAccess(now), now })) return null;
    return toVerifiedKey(payload);
  }

  /** @param scopes those that the route needs. Null: the owner's limit is not consulted. */
  async function decide(
    secret: string,
    scopes: readonly string[] | null,
    { waitUntil = options.waitUntil ?? runOn }: EdgeRouteContext,
  ): Promise<OriginVerdict> {
    if (!isWellFormedSecret(secret, secretFormat)) return { valid: false, reason: "malformed" };
    const hex = await sha256(secret);
    const key = await readKey(hex);
    if (!key) return origin.ask(secret, scopes);
    const isLimited = scopes !== null && key.requestsPerMinute !== null && missingScopes(key, scopes).length === 0;
    const accepted = { valid: true, key, limit: null } as const;
    // The origin counts the limit, and the use. When it cannot, the call passes: the slot has accepted the key. The use is not counted here
    // then, since the origin may have done it and only its answer was lost.
    if (isLimited) return (await origin.askForLimit(secret, scopes)) ?? accepted;
    countUse(hex, Date.now(), waitUntil);
    return accepted;
  }

  return {
    async verify(secret, context = {}) {
      const verdict = await decide(secret, null, context);
      return verdict.valid ? { valid: true, key: verdict.key } : verdict;
    },
    withApiKey: (handler, { scopes = [] } = {}) =>
      async function handle(request, context) {
        const secret = requireSecret(request.headers, secretFormat);
        if (secret instanceof Response) return secret;
        const verdict = await decide(secret, scopes, context).catch(refuseUnavailable);
        if (verdict instanceof Response) return verdict;
        if (!verdict.valid) return problemResponse(problemFor[verdict.reason]);
        const { key, limit } = verdict;
        const refusal = refuseScopes(key, scopes) ?? refuseLimit(limit);
        return refusal ?? withHeaders(await handler(request, { ...context, key }), limit, key.expiresAt);
      },
  };
}

function refuseUnavailable(fault: unknown): Response {
  if (!(fault instanceof VerificationUnavailableError)) throw fault;
  return problemResponse("verification_unavailable");
}

const refuseLimit = (limit: CountedLimit | null) => (limit && !limit.isWithin ? overLimit(limit) : null);

async function sha256(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
