import { TRPCError } from "@trpc/server";
import { z, type ZodError } from "zod";

import { toDomainError } from "../server/platform/database";
import { withoutValues } from "../server/platform/logger";
import { DomainError, type DomainErrorCode } from "../server/shared/errors";

/** Each domain code has a row. A new code without one does not compile. */
const codes: Record<DomainErrorCode, TRPCError["code"]> = {
  API_KEY_NOT_FOUND: "NOT_FOUND",
  API_KEY_LIMIT_REACHED: "CONFLICT",
  API_KEY_REQUEST_REUSED: "CONFLICT",
  API_KEY_ROTATING: "CONFLICT",
  API_KEY_NOT_ACTIVE: "CONFLICT",
  API_KEY_NOT_OWNED: "FORBIDDEN",
  API_ACCESS_REQUIRED: "FORBIDDEN",
  IMPERSONATED: "FORBIDDEN",
  ORG_PERMISSION_REQUIRED: "FORBIDDEN",
  RATE_LIMITED: "TOO_MANY_REQUESTS",
  SERVICE_UNAVAILABLE: "SERVICE_UNAVAILABLE",
  OUTCOME_UNKNOWN: "SERVICE_UNAVAILABLE",
};

/** Gives an error of the domain, an outage of the database, or an input that only the domain can judge its tRPC code and message. */
export function toTrpcError(error: TRPCError): TRPCError {
  if (isInputError(error.cause))
    return new TRPCError({ code: "BAD_REQUEST", message: "The input is not valid.", cause: error.cause });
  const cause = toDomainError(error.cause);
  if (cause) return new TRPCError({ code: codes[cause.code], message: cause.message, cause });
  if (error.code !== "INTERNAL_SERVER_ERROR") return error;
  // Its own message may hold SQL, a hash or a secret.
  const message = "Something went wrong on our side. Try again.";
  return new TRPCError({ code: "INTERNAL_SERVER_ERROR", message, cause: withoutValues(error.cause ?? error) });
}

export interface ApiKeysErrorData {
  domainCode: DomainErrorCode | null;
  fieldErrors: Record<string, string[] | undefined> | null;
}

/**
 * What a client gets beside tRPC's code: the domain's code, and the messages for each input field. For a host's `errorFormatter`.
 * @example
 * data: { ...shape.data, ...apiKeysErrorData(error) },
 */
export function apiKeysErrorData(error: TRPCError): ApiKeysErrorData {
  return {
    domainCode: error.cause instanceof DomainError ? error.cause.code : null,
    fieldErrors: isInputError(error.cause) ? z.flattenError(error.cause).fieldErrors : null,
  };
}

/** By its name: the host may have another copy of zod, whose errors have the same shape. */
function isInputError(cause: unknown): cause is ZodError {
  return cause instanceof Error && (cause.name === "ZodError" || cause.name === "$ZodError");
}
