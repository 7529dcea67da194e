import { TRPCClientError } from "@trpc/client";

import type { DomainErrorCode } from "@/server/shared/errors";
import type { AppRouter } from "@/trpc/routers";

import { strings } from "./strings";

/** Why a call of the page failed: the domain's codes, and what can happen around it. */
export type FailureCode =
  | DomainErrorCode
  /** The session has ended. */
  | "SIGNED_OUT"
  /** No answer, or one from something in between: what happened on the server is not known. */
  | "NO_ANSWER"
  /** The server has answered, without one of the domain's codes: a field is refused, or it has a fault. */
  | "OTHER";

export interface CallFailure {
  code: FailureCode;
  fieldErrors: Record<string, string[] | undefined>;
}

/** Sorts what a failed call throws. */
export function toCallFailure(error: unknown): CallFailure {
  const data = error instanceof TRPCClientError ? (error as TRPCClientError<AppRouter>).data : null;
  if (!data) return { code: "NO_ANSWER", fieldErrors: {} };
  const code = data.code === "UNAUTHORIZED" ? "SIGNED_OUT" : (data.domainCode ?? "OTHER");
  return { code, fieldErrors: data.fieldErrors ?? {} };
}

/** What a person is told. A new code without a text does not compile. @param texts what an action says better. */
export function describeFailure({ code }: CallFailure, texts: Partial<Record<FailureCode, string>>): string {
  const general: Record<FailureCode, string> = strings.failures;
  return texts[code] ?? general[code];
}
