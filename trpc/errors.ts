import { TRPCError } from "@trpc/server";
import { z, ZodError } from "zod";

import { toDomainError } from "@/server/platform/database";
import { DomainError, type DomainErrorCode } from "@/server/shared/errors";

/** Each domain code has a row. A new code without one does not compile. */
const codes: Record<DomainErrorCode, TRPCError["code"]> = {
  API_KEY_NOT_FOUND: "NOT_FOUND",
  API_KEY_LIMIT_REACHED: "CONFLICT",
  API_KEY_REQUEST_REUSED: "CONFLICT",
  API_KEY_NOT_OWNED: "FORBIDDEN",
  API_ACCESS_REQUIRED: "FORBIDDEN",
  IMPERSONATED: "FORBIDDEN",
  RATE_LIMITED: "TOO_MANY_REQUESTS",
  SERVICE_UNAVAILABLE: "SERVICE_UNAVAILABLE",
  OUTCOME_UNKNOWN: "SERVICE_UNAVAILABLE",
};

/** Gives an error of the domain, or an outage of the database, its tRPC code. Everything else stays an internal error. */
export function toTrpcError(error: TRPCError): TRPCError {
  const cause = toDomainError(error.cause);
  return cause ? new TRPCError({ code: codes[cause.code], message: cause.message, cause }) : error;
}

interface PublicErrorData {
  domainCode: DomainErrorCode | null;
  fieldErrors: Record<string, string[] | undefined> | null;
}

/** What a client gets beside tRPC's code: the domain's code, and the messages for each input field. */
export function publicErrorData(error: TRPCError): PublicErrorData {
  return {
    domainCode: error.cause instanceof DomainError ? error.cause.code : null,
    fieldErrors: error.cause instanceof ZodError ? z.flattenError(error.cause).fieldErrors : null,
  };
}

/** The message for the client. An internal error's own message may hold SQL, a hash or a secret. */
export function publicMessage(error: TRPCError): string {
  if (error.cause instanceof DomainError) return error.cause.message;
  if (error.cause instanceof ZodError) return "The input is not valid.";
  if (error.code === "INTERNAL_SERVER_ERROR") return "Something went wrong on our side. Try again.";
  return error.cause ? error.code : error.message;
}
