import { z } from "zod";

import { invalidateCache, limitInvalidations } from "@/server/api-keys";
import { invalidateCacheInput } from "@/server/api-keys/inputs";
import { getServerContext } from "@/server/context";
import { getEnvironment } from "@/server/env";
import { DomainError, type DomainErrorCode } from "@/server/errors";
import { readLimitedBody } from "@/server/gateway/read-limited-body";
import { describeFault } from "@/server/logger";

import { verifyClerkBearer } from "../clerk-bearer";

const maxBodyBytes = 16 * 1024;
/** Unlike the procedure it has always ignored other fields. */
const bodySchema = z.object(invalidateCacheInput.shape);

interface Answer {
  status: number;
  body: { ok: true } | { error: string } | null;
}
const failure = (status: number, error: string): Answer => ({ status, body: { error } });

/** The original system's endpoint, for clients that already call it. The order of the checks is part of the contract. */
async function handle(request: Request): Promise<Response> {
  const origin = request.headers.get("origin");
  const { APP_ORIGIN, ALLOWED_ORIGINS } = getEnvironment();
  const isAllowed = origin === null || origin === APP_ORIGIN || ALLOWED_ORIGINS.includes(origin);
  const { status, body } = isAllowed ? await answer(request) : failure(403, "Origin not allowed");

  const headers = new Headers({ "Cache-Control": "no-store", Vary: "Origin" });
  if (status === 405) headers.set("Allow", "POST, OPTIONS");
  if (status === 429) headers.set("Retry-After", "60");
  if (status === 503) headers.set("Retry-After", "1");
  if (origin !== null && isAllowed) {
    headers.set("Access-Control-Allow-Origin", origin);
    headers.set("Access-Control-Allow-Methods", "POST, OPTIONS");
    headers.set("Access-Control-Allow-Headers", "Authorization, Content-Type");
    headers.set("Access-Control-Max-Age", "600");
  }
  if (body === null) return new Response(null, { status, headers });
  headers.set("Content-Type", "application/json");
  return new Response(JSON.stringify(body), { status, headers });
}

async function answer(request: Request): Promise<Answer> {
  if (request.method === "OPTIONS") return { status: 204, body: null };
  if (request.method !== "POST") return failure(405, "Method not allowed");
  const session = await verifyClerkBearer(request);
  if (session.status === "unavailable") return failure(503, "Service unavailable");
  if (session.status === "signed_out") return failure(401, "UNAUTHENTICATED");
  try {
    const caller = { ownerId: session.userId };
    await limitInvalidations(getServerContext(), caller);
    const input = await readInput(request);
    if ("status" in input) return input;
    const { effect } = await invalidateCache(getServerContext(), caller, input);
    return effect.status === "effective" ? { status: 200, body: { ok: true } } : failure(503, "Service unavailable");
  } catch (fault) {
    if (fault instanceof DomainError) return domainFailures[fault.code];
    getServerContext().logger.error({ fault: describeFault(fault) }, "cache invalidation failed");
    return failure(500, "Internal error");
  }
}

async function readInput(request: Request): Promise<Answer | { keyHash: string }> {
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

export {
  handle as DELETE,
  handle as GET,
  handle as HEAD,
  handle as OPTIONS,
  handle as PATCH,
  handle as POST,
  handle as PUT,
};
