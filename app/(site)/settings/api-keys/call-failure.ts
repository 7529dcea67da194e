import { TRPCClientError } from "@trpc/client";

import { type DomainErrorCode, otherOwnerMessage } from "latchkey/shared";

import { strings } from "./strings";

/** Why a call of the page failed: the domain's codes, and what can happen around it. */
export type FailureCode =
  | DomainErrorCode
  /** The session has ended. */
  | "SIGNED_OUT"
  /** The browser has switched to another account than the one that the page was made for. */
  | "OTHER_OWNER"
  /** There was no answer, or something between here and the server answered. Nobody knows what happened on the server. */
  | "NO_ANSWER"
  /** The server has a fault. Nobody knows what it had done before. */
  | "FAULT"
  /** The input was refused, and the answer does not say which field of it. */
  | "BAD_INPUT"
  /** The limit is reached, or the request id was used before. */
  | "CONFLICT"
  /** The key is somebody else's, the plan has no access, or the session is an impersonated one. */
  | "FORBIDDEN"
  /** The server has refused the call, and nothing was changed. */
  | "OTHER";

export interface CallFailure {
  code: FailureCode;
  fieldErrors: Record<string, string[] | undefined>;
}

/** What the page reads of an error's `data`. The last two are there when the host's `errorFormatter` has the line with `apiKeysErrorData`. */
interface ErrorData {
  code?: unknown;
  httpStatus?: unknown;
  domainCode?: DomainErrorCode | null;
  fieldErrors?: Record<string, string[] | undefined> | null;
}

/** Says why a call failed, from what it has thrown. */
export function toCallFailure(error: unknown): CallFailure {
  const data = error instanceof TRPCClientError ? (error.data as ErrorData | null | undefined) : null;
  if (!data) return { code: "NO_ANSWER", fieldErrors: {} };
  const isOfOtherOwner = error instanceof Error && error.message === otherOwnerMessage;
  if (data.code === "UNAUTHORIZED") return { code: isOfOtherOwner ? "OTHER_OWNER" : "SIGNED_OUT", fieldErrors: {} };
  return { code: codeOf(data), fieldErrors: data.fieldErrors ?? {} };
}

function codeOf({ code, httpStatus, domainCode }: ErrorData): FailureCode {
  if (domainCode) return domainCode;
  const known = typeof code === "string" ? byTrpcCode[code] : undefined;
  return known ?? (typeof httpStatus === "number" && httpStatus >= 400 && httpStatus < 500 ? "OTHER" : "FAULT");
}

/**
 * What tRPC's own code tells when the domain's is not there. Of two meanings the one that claims less counts. NOT_FOUND is left out: it may be
 * of the procedure, where a host's root lacks the router, and tells nothing of a key.
 */
const byTrpcCode: Partial<Record<string, FailureCode>> = {
  BAD_REQUEST: "BAD_INPUT",
  CONFLICT: "CONFLICT",
  FORBIDDEN: "FORBIDDEN",
  TOO_MANY_REQUESTS: "RATE_LIMITED",
  SERVICE_UNAVAILABLE: "OUTCOME_UNKNOWN",
  // The caller or the server gave up while the work went on.
  TIMEOUT: "OUTCOME_UNKNOWN",
  GATEWAY_TIMEOUT: "OUTCOME_UNKNOWN",
  CLIENT_CLOSED_REQUEST: "OUTCOME_UNKNOWN",
};

/** The text for a failure. A new code without a text does not compile. @param texts an action's own texts, used before the general ones. */
export function describeFailure({ code }: CallFailure, texts: Partial<Record<FailureCode, string>>): string {
  const general: Record<FailureCode, string> = strings.failures;
  return texts[code] ?? general[code];
}
