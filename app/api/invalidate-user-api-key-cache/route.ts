import { z } from "zod";

import { invalidateCache, limitInvalidations } from "@/server/keys";
import { invalidateCacheInput } from "@/server/shared/inputs";
import { getServerContext } from "@/server/context";
import { getEnvironment } from "@/server/settings/env";
import { DomainError, type DomainErrorCode } from "@/server/shared/errors";
import { createEndpoint } from "@/server/http/endpoint";
import { readLimitedBody } from "@/server/http/read-limited-body";
import { describeFault } from "@/server/platform/logger";

import { verifyClerkBearer } from "../../../server/clerk/bearer";
import { everyMethod } from "../every-method";

const maxBodyBytes = 16 * 1024;
/** Unlike the procedure it has always ignored other fields. */
const bodySchema = z.object(invalidateCacheInput.shape);

type Answer = { ok: true } | { status: number; error: string };
const failure = (status: number, error: string) => ({ status, error });

const isAllowedOrigin = (origin: string) => {
  const { APP_ORIGIN, ALLOWED_ORIGINS } = getEnvironment();
  return origin === APP_ORIGIN || ALLOWED_ORIGINS.includes(origin);
};

/** A request without `Origin` comes from no browser, and its bearer decides. */
function refuseForeignOrigin({ headers }: Request): Response | null {
  const origin = headers.get("origin");
  return origin === null || isAllowedOrigin(origin) ? null : respond(failure(403, "Origin not allowed"));
}

const endpoint = createEndpoint(
  { POST: async (request) => respond(await answer(request)) },
  { refuseFirst: refuseForeignOrigin },
);

/** The original system's endpoint, for clients that already call it. The order of the checks is part of the contract. */
async function invalidation(request: Request): Promise<Response> {
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
}

function respond(answer: Answer): Response {
  if ("ok" in answer) return Response.json(answer);
  const { status, error } = answer;
  const retryAfter = { 429: "60", 503: "1" }[status];
  return Response.json({ error }, { status, ...(retryAfter && { headers: { "Retry-After": retryAfter } }) });
}

async function answer(request: Request): Promise<Answer> {
  const session = await verifyClerkBearer(request);
  if (session.status === "unavailable") return failure(503, "Service unavailable");
  if (session.status === "signed_out") return failure(401, "UNAUTHENTICATED");
  try {
    const caller = { ownerId: session.userId };
    await limitInvalidations(getServerContext(), caller);
    const input = await readInput(request);
    if ("status" in input) return input;
    const { effect } = await invalidateCache(getServerContext(), caller, input);
    return effect.status === "effective" ? { ok: true } : failure(503, "Service unavailable");
  } catch (fault) {
    if (fault instanceof DomainError) return domainFailures[fault.code];
    getServerContext().logger.error({ fault: describeFault(fault) }, "cache invalidation failed");
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
  API_KEY_NOT_FOUND: failure(404, "NOT_FOUND"),
  API_KEY_LIMIT_REACHED: failure(409, "CONFLICT"),
  API_KEY_REQUEST_REUSED: failure(409, "CONFLICT"),
  RATE_LIMITED: failure(429, "TOO_MANY_REQUESTS"),
  SERVICE_UNAVAILABLE: failure(503, "Service unavailable"),
  OUTCOME_UNKNOWN: failure(503, "Service unavailable"),
};

export const { DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT } = everyMethod(invalidation);
