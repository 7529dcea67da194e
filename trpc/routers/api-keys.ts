import { z } from "zod";

import {
  createApiKey,
  effectOfApiKey,
  invalidateCache,
  limitInvalidations,
  listApiKeys,
  renameApiKey,
  revokeAllApiKeys,
  revokeApiKey,
  usageOfApiKey,
} from "@/server/keys";
import { createInput, invalidateCacheInput, keyIdInput, renameInput } from "@/server/shared/inputs";

import { createRouter, protectedProcedure } from "../init";

export const apiKeysRouter = createRouter({
  list: protectedProcedure.query(({ ctx }) => listApiKeys(ctx.server, ctx.caller)),

  create: protectedProcedure
    .input(createInput)
    .mutation(({ ctx, input }) => createApiKey(ctx.server, ctx.caller, input)),

  rename: protectedProcedure
    .input(renameInput)
    .mutation(({ ctx, input }) => renameApiKey(ctx.server, ctx.caller, input)),

  revoke: protectedProcedure
    .input(keyIdInput)
    .mutation(({ ctx, input }) => revokeApiKey(ctx.server, ctx.caller, input)),

  revokeAll: protectedProcedure
    .input(z.strictObject({}))
    .mutation(({ ctx }) => revokeAllApiKeys(ctx.server, ctx.caller)),

  effect: protectedProcedure.input(keyIdInput).query(({ ctx, input }) => effectOfApiKey(ctx.server, ctx.caller, input)),

  usage: protectedProcedure.input(keyIdInput).query(({ ctx, input }) => usageOfApiKey(ctx.server, ctx.caller, input)),

  invalidateCache: protectedProcedure
    .input(invalidateCacheInput)
    .use(async ({ ctx, next }) => {
      await limitInvalidations(ctx.server, ctx.caller);
      return next();
    })
    .mutation(({ ctx, input }) => invalidateCache(ctx.server, ctx.caller, input)),
});
