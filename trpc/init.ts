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
    // Field by field: `shape` also carries the stack in development, and whatever a later version adds.
    const { code, httpStatus, path } = shape.data;
    return {
      code: shape.code,
      message: publicMessage(error),
      data: { code, httpStatus, ...(path !== undefined && { path }), ...publicErrorData(error) },
    };
  },
});

export const createRouter = t.router;

/** tRPC's `next()` never rejects: an error is in its result, and a try/catch around it would see none. */
const mapErrors = t.middleware(async ({ next }) => {
  const result = await next();
  if (!result.ok) throw toTrpcError(result.error);
  return result;
});

/** For signed-in users. The caller comes from Clerk through the context, never from the input. */
export const protectedProcedure = t.procedure.use(mapErrors).use(({ ctx, next }) => {
  if (ctx.session.status === "unavailable") throw new DomainError("SERVICE_UNAVAILABLE");
  if (ctx.session.status === "signed_out") throw new TRPCError({ code: "UNAUTHORIZED", message: "Sign in first." });
  return next({ ctx: { server: ctx.server, caller: ctx.session.caller } });
});
