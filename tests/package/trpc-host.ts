import { type inferRouterInputs, type inferRouterOutputs, initTRPC } from "@trpc/server";
import type { ApiKeySummary, Effect, Latchkey } from "latchkey";
import { apiKeysErrorData, createApiKeysRouter, protect } from "latchkey/trpc";
import superjson from "superjson";

/** As create-t3-app makes it: a context of its own, and a procedure that has a middleware already. */
const t = initTRPC.context<{ headers: Headers; db: { query: string } }>().create({
  transformer: superjson,
  errorFormatter: ({ shape, error }) => ({ ...shape, data: { ...shape.data, ...apiKeysErrorData(error) } }),
});
const publicProcedure = t.procedure.use(({ ctx, next }) => next({ ctx: { startedAt: ctx.headers.get("date") } }));

declare const getLatchkey: () => Latchkey;
export const appRouter = t.router({
  hello: publicProcedure.query(() => "hello"),
  apiKeys: createApiKeysRouter({ router: t.router, procedure: protect(publicProcedure, getLatchkey) }),
});
type Inputs = inferRouterInputs<typeof appRouter>["apiKeys"];
type Outputs = inferRouterOutputs<typeof appRouter>["apiKeys"];

/** Each fits the other, and neither is `any`. */
type Exact<A, B> = 0 extends 1 & A ? never : [A, B] extends [B, A] ? true : never;
export const isExact: [
  Exact<Inputs["revoke"], { id: string }>,
  Exact<Outputs["revoke"], { key: ApiKeySummary; effect: Effect }>,
  Exact<Outputs["effect"], Effect | null>,
] = [true, true, true];

const caller = t.createCallerFactory(appRouter)({ headers: new Headers(), db: { query: "" } });
export const revoked: Promise<{ effect: Effect }> = caller.apiKeys.revoke({ id: "key_" });
// @ts-expect-error The id is missing.
void caller.apiKeys.revoke({});
// @ts-expect-error An id is a text.
void caller.apiKeys.revoke({ id: 1 });
// @ts-expect-error A procedure that does not say who calls.
createApiKeysRouter({ router: t.router, procedure: publicProcedure });
