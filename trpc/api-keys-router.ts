import type { AnyTRPCRootTypes, TRPCProcedureBuilder, TRPCRouterBuilder, TRPCUnsetMarker } from "@trpc/server";
import { z } from "zod";

import { listKeyEvents } from "../server/history";
import {
  type Caller,
  cancelRotation,
  createApiKey,
  endGrace,
  effectOfApiKey,
  invalidateCache,
  type LatchkeyServer,
  limitInvalidations,
  listApiKeys,
  openServer,
  renameApiKey,
  revokeAllApiKeys,
  revokeApiKey,
  rotateApiKey,
  usageOfApiKey,
} from "../server/keys";
import {
  checkScopes,
  createInput,
  historyInput,
  invalidateCacheInput,
  keyIdInput,
  renameInput,
  rotateInput,
} from "../server/shared/inputs";
import { toTrpcError } from "./errors";

/** What the procedures need in their context: `getLatchkey().server`, and who calls, from the session. `protect` puts both there. */
export interface ApiKeysContext {
  server: LatchkeyServer;
  caller: Caller;
}

/**
 * A procedure of any root, without input or output. `Added` is what its middleware has put into the context. The type names no more than these
 * parameters, since the next release of tRPC 11 may have more.
 */
export type Procedure<RootContext, Meta, Added> = TRPCProcedureBuilder<
  RootContext,
  Meta,
  Added,
  TRPCUnsetMarker,
  TRPCUnsetMarker,
  TRPCUnsetMarker,
  TRPCUnsetMarker,
  false
>;

interface HostParts<Root extends AnyTRPCRootTypes, RootContext, Meta, Added extends ApiKeysContext> {
  router: TRPCRouterBuilder<Root>;
  procedure: Procedure<RootContext, Meta, Added>;
}

/**
 * Makes the router `apiKeys` for a tRPC root of the host. The caller comes from the procedure's context and never from the input.
 * @param parts `router`: the host's `t.router`. `procedure`: one whose context has `server` and `caller`, see `protect`.
 * @returns the router. Its errors carry the domain's code in `cause`; `apiKeysErrorData` brings it to the client.
 * @example
 * const apiKeys = createApiKeysRouter({ router: t.router, procedure: protect(t.procedure, getLatchkey) });
 */
export function createApiKeysRouter<
  Root extends AnyTRPCRootTypes,
  RootContext extends object,
  Meta extends object,
  Added extends ApiKeysContext,
>({ router, procedure: ofHost }: HostParts<Root, RootContext, Meta, Added>) {
  // Of the host's context only what `Added` has is used.
  const hostProcedure = ofHost as unknown as Procedure<object, object, ApiKeysContext>;
  /** Maps errors by the result, since tRPC's `next()` never rejects: a try/catch around it would see no error. */
  const procedure = hostProcedure.use(async ({ ctx, next }) => {
    const result = await next({ ctx: { server: openServer(ctx.server) } });
    if (!result.ok) throw toTrpcError(result.error);
    return result;
  });
  return router({
    list: procedure.query(({ ctx }) => listApiKeys(ctx.server, ctx.caller)),

    create: procedure.input(createInput).mutation(({ ctx, input }) => {
      checkScopes(input, ctx.server.settings.scopes);
      return createApiKey(ctx.server, ctx.caller, input);
    }),

    rename: procedure.input(renameInput).mutation(({ ctx, input }) => renameApiKey(ctx.server, ctx.caller, input)),

    rotate: procedure.input(rotateInput).mutation(({ ctx, input }) => rotateApiKey(ctx.server, ctx.caller, input)),

    cancelRotation: procedure
      .input(keyIdInput)
      .mutation(({ ctx, input }) => cancelRotation(ctx.server, ctx.caller, input)),

    endGrace: procedure.input(keyIdInput).mutation(({ ctx, input }) => endGrace(ctx.server, ctx.caller, input)),

    revoke: procedure.input(keyIdInput).mutation(({ ctx, input }) => revokeApiKey(ctx.server, ctx.caller, input)),

    revokeAll: procedure.input(z.strictObject({})).mutation(({ ctx }) => revokeAllApiKeys(ctx.server, ctx.caller)),

    effect: procedure.input(keyIdInput).query(({ ctx, input }) => effectOfApiKey(ctx.server, ctx.caller, input)),

    usage: procedure.input(keyIdInput).query(({ ctx, input }) => usageOfApiKey(ctx.server, ctx.caller, input)),

    history: procedure.input(historyInput).query(({ ctx, input }) => listKeyEvents(ctx.server, ctx.caller, input)),

    invalidateCache: procedure
      .input(invalidateCacheInput)
      .use(async ({ ctx, next }) => {
        await limitInvalidations(ctx.server, ctx.caller);
        return next();
      })
      .mutation(({ ctx, input }) => invalidateCache(ctx.server, ctx.caller, input)),
  });
}
