import { z } from "zod";

import { invalidateCache, limitInvalidations } from "../keys";
import type { ServerContext } from "../keys/context";
import { toDomainError } from "../platform/database";
import { describeFault } from "../platform/logger";
import type { DomainErrorCode } from "../shared/errors";
import { invalidateCacheInput } from "../shared/inputs";
import { createEndpoint, type Endpoint } from "./endpoint";
import type { IdentityProvider } from "./identity";
import { readLimitedBody } from "./read-limited-body";

const maxBodyBytes = 16 * 1024;
/** This endpoint has always ignored other fields. The procedure refuses them. */
const bodySchema = z.object(invalidateCacheInput.shape);

type Answer = { ok: true } | { status: number; error: string };
const failure = (status: number, error: string) => ({ status, error });

interface OriginalEndpointOptions {
  getContext: () => ServerContext;
  identity: Pick<IdentityProvider, "verifyBearer">;
  isAllowedOrigin: (origin: string) => boolean;
}

/**
 * `POST /api/invalidate-user-api-key-cache`: the original system's endpoint, for clients that already call it. It calls the same function as
 * the procedure `invalidateCache`. The order of its checks is part of the contract: origin, method, session, rate, body, owner.
 */
export function createOriginalEndpoint(options: OriginalEndpointOptions): Endpoint {
  const { isAllowedOrigin } = options;
  /** Without `Origin` the bearer alone decides, since the request comes from no page of another site. */
  const refuseForeignOrigin = ({ headers }: Request) => {
    const origin = headers.get("origin");
    return origin === null || isAllowedOrigin(origin) ? null : respond(failure(403, "Origin not allowed"));
  };
  const endpoint = createEndpoint(
    { POST: async (request) => respond(await answer(options, request)) },
    { refuseFirst: refuseForeignOrigin },
  );
  return async (request) => {
    const response = await endpoint(request);
    const origin = request.headers.get("origin");
    response.headers.set("Vary", "Origin");
    if (origin !== null && isAllowedOrigin(origin)) {
      response.headers.set("Access-Control-Allow-Origin", origin);
      response.headers.set("Access-Control-Allow-Methods", "POST, OPTIONS");
      response.headers.set("Access-Control-Allow-Headers", "Authorization, Content-Type");
      response.headers.set("Access-Control-Max-Age", "600");
    }
    return response;
  };
}

function respond(answer: Answer): Response {
  if ("ok" in answer) return Response.json(answer);
  const { status, error } = answer;
  const retryAfter = { 429: "60", 503: "1" }[status];
  return Response.json({ error }, { status, ...(retryAfter && { headers: { "Retry-After": retryAfter } }) });
}

async function answer({ getContext, identity }: OriginalEndpointOptions, request: Request): Promise<Answer> {
  const session = await identity.verifyBearer(request);
  if (session.status === "unavailable") return failure(503, "Service unavailable");
  if (session.status === "signed_out") return failure(401, "UNAUTHENTICATED");
  const context = getContext();
  try {
    const caller = { ownerId: session.ownerId, userId: session.userId };
    await limitInvalidations(context, caller);
    const input = await readInput(request);
    if ("status" in input) return input;
    const { effect } = await invalidateCache(context, caller, input);
    return effect.status === "effective" ? { ok: true } : failure(503, "Service unavailable");
  } catch (fault) {
    const told = toDomainError(fault);
    if (told) return domainFailures[told.code];
    context.logger.error({ fault: describeFault(fault) }, "cache invalidation failed");
    return failure(500, "Internal error");
  }
}

async function readInput(request: Request): Promise<ReturnType<typeof failure> | { keyHash: string }> {
  const text = await readLimitedBody(request, maxBodyBytes);
  if (text === null) return failure(413, "Body too large");
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return failure(422, "Invalid JSON body");
  }
  const parsed = bodySchema.safeParse(body);
  return parsed.success ? parsed.data : failure(422, "Invalid keyHash");
}

const domainFailures: Record<DomainErrorCode, Answer> = {
  API_KEY_NOT_OWNED: failure(403, "FORBIDDEN"),
  API_ACCESS_REQUIRED: failure(403, "FORBIDDEN"),
  IMPERSONATED: failure(403, "FORBIDDEN"),
  ORG_PERMISSION_REQUIRED: failure(403, "FORBIDDEN"),
  API_KEY_NOT_FOUND: failure(404, "NOT_FOUND"),
  API_KEY_LIMIT_REACHED: failure(409, "CONFLICT"),
  API_KEY_REQUEST_REUSED: failure(409, "CONFLICT"),
  API_KEY_ROTATING: failure(409, "CONFLICT"),
  API_KEY_NOT_ACTIVE: failure(409, "CONFLICT"),
  RATE_LIMITED: failure(429, "TOO_MANY_REQUESTS"),
  SERVICE_UNAVAILABLE: failure(503, "Service unavailable"),
  OUTCOME_UNKNOWN: failure(503, "Service unavailable"),
};
