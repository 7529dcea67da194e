import { initTRPC, TRPCError } from "@trpc/server";
import superjson from "superjson";

import type { ServerContext } from "@/server/keys/context";
import { DomainError } from "@/server/shared/errors";

import { publicErrorData, publicMessage, toTrpcError } from "./errors";
import type { Session } from "@/server/http/identity";

export interface TrpcContext {
  server: ServerContext;
  session: Session;
}

const t = initTRPC.context<TrpcContext>().create({
  transformer: superjson,
  errorFormatter({ shape, error }) {
    // Fields are chosen one by one, since `shape` also has the stack in development, and a later version may add more.
    const { code, httpStatus, path } = shape.data;
    return {
      code: shape.code,
      message: publicMessage(error),
      data: { code, httpStatus, ...(path !== undefined && { path }), ...publicErrorData(error) },
    };
  },
});

export const createRouter = t.router;

/** Maps errors by the result, since tRPC's `next()` never rejects: a try/catch around it would see no error. */
const mapErrors = t.middleware(async ({ next }) => {
  const result = await next();
  if (!result.ok) throw toTrpcError(result.error);
  return result;
});

/** A procedure for signed-in users. The caller comes from the session and never from the input. */
export const protectedProcedure = t.procedure.use(mapErrors).use(({ ctx, next }) => {
  if (ctx.session.status === "unavailable") throw new DomainError("SERVICE_UNAVAILABLE");
  if (ctx.session.status === "signed_out") throw new TRPCError({ code: "UNAUTHORIZED", message: "Sign in first." });
  return next({ ctx: { server: ctx.server, caller: ctx.session.caller } });
});
