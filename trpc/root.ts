import { initTRPC, type TRPCError } from "@trpc/server";
import superjson from "superjson";

import { DomainError } from "../server/shared/errors";
import { createApiKeysRouter } from "./api-keys-router";
import { apiKeysErrorData } from "./errors";
import { protect, type ProtectingLatchkey } from "./protect";

const t = initTRPC.create({
  transformer: superjson,
  errorFormatter({ shape, error }) {
    // Fields are chosen one by one, since `shape` also has the stack in development, and a later version may add more.
    const { code, httpStatus, path } = shape.data;
    return {
      code: shape.code,
      message: publicMessage(error),
      data: { code, httpStatus, ...(path !== undefined && { path }), ...apiKeysErrorData(error) },
    };
  },
});

/** The message for the client. What tRPC itself says of a request may repeat it. */
function publicMessage(error: TRPCError): string {
  return error.cause && !(error.cause instanceof DomainError)
    ? (fixedMessages[error.code] ?? error.code)
    : error.message;
}

const fixedMessages: Partial<Record<TRPCError["code"], string>> = {
  BAD_REQUEST: "The input is not valid.",
  INTERNAL_SERVER_ERROR: "Something went wrong on our side. Try again.",
};

/** The whole root of an app that has no tRPC of its own: the router `apiKeys` and nothing else. */
export function createAppRouter(getLatchkey: () => ProtectingLatchkey) {
  return t.router({
    apiKeys: createApiKeysRouter({ router: t.router, procedure: protect(t.procedure, getLatchkey) }),
  });
}

export type AppRouter = ReturnType<typeof createAppRouter>;
