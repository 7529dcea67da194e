import { TRPCClientError } from "@trpc/client";

import type { DomainErrorCode } from "latchkey/shared";
import type { AppRouter } from "latchkey/trpc";

import { strings } from "./strings";

/** Why a call of the page failed: the domain's codes, and what can happen around it. */
export type FailureCode =
  | DomainErrorCode
  /** The session has ended. */
  | "SIGNED_OUT"
  /** There was no answer, or something between here and the server answered. Nobody knows what happened on the server. */
  | "NO_ANSWER"
  /** The server has answered without one of the domain's codes: it refused a field, or it has a fault. */
  | "OTHER";

export interface CallFailure {
  code: FailureCode;
  fieldErrors: Record<string, string[] | undefined>;
}

/** Says why a call failed, from what it has thrown. */
export function toCallFailure(error: unknown): CallFailure {
  const data = error instanceof TRPCClientError ? (error as TRPCClientError<AppRouter>).data : null;
  if (!data) return { code: "NO_ANSWER", fieldErrors: {} };
  const code = data.code === "UNAUTHORIZED" ? "SIGNED_OUT" : (data.domainCode ?? "OTHER");
  return { code, fieldErrors: data.fieldErrors ?? {} };
}

/** The text for a failure. A new code without a text does not compile. @param texts an action's own texts, used before the general ones. */
export function describeFailure({ code }: CallFailure, texts: Partial<Record<FailureCode, string>>): string {
  const general: Record<FailureCode, string> = strings.failures;
  return texts[code] ?? general[code];
}
