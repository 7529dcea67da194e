import { TRPCClientError } from "@trpc/client";

import type { AppRouter } from "@/trpc/routers";

export type CallFailure =
  /** The server has answered and said no. */
  | { kind: "refused"; domainCode: string | null; fieldErrors: Record<string, string[] | undefined> }
  /** The session has ended. */
  | { kind: "signedOut" }
  /** No answer, or one from something in between: what happened on the server is not known. */
  | { kind: "noAnswer" };

/** Sorts what a failed call throws. */
export function toCallFailure(error: unknown): CallFailure {
  if (!(error instanceof TRPCClientError)) return { kind: "noAnswer" };
  const { data } = error as TRPCClientError<AppRouter>;
  if (!data) return { kind: "noAnswer" };
  if (data.code === "UNAUTHORIZED") return { kind: "signedOut" };
  return { kind: "refused", domainCode: data.domainCode, fieldErrors: data.fieldErrors ?? {} };
}
