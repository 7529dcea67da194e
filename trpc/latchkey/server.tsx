import "server-only";

import { dehydrate, HydrationBoundary, type QueryExecuteOptions, type QueryKey } from "@tanstack/react-query";
import { createTRPCOptionsProxy } from "@trpc/tanstack-react-query";
import { cache, type ReactNode } from "react";

import { type AppRouter, createAppRouter } from "latchkey/trpc";

import { getLatchkey } from "../../server/latchkey";
import { createQueryClient } from "./query-client";

const appRouter = createAppRouter(getLatchkey);

// cache() makes one for each request, however many components ask.
const getQueryClient = cache(createQueryClient);

/**
 * Query options for server components. They call the procedures directly, with the session of the request.
 * @param ownerId only the first part of the query keys, as in `TrpcProvider`. The session decides whose data is read.
 */
export function trpcFor(ownerId: string) {
  return createTRPCOptionsProxy<AppRouter, { keyPrefix: true }>({
    router: appRouter,
    ctx: {},
    queryClient: getQueryClient,
    keyPrefix: ownerId,
  });
}

/** Starts a query and does not wait for it. `HydrateClient` streams its result to the browser. */
export function prefetch<Data, Failure, Selected, Key extends QueryKey>(
  options: QueryExecuteOptions<Data, Failure, Selected, Data, Key>,
): void {
  // The browser reports a failure: it finds no data and asks again.
  getQueryClient()
    .query(options)
    .catch(() => undefined);
}

export function HydrateClient({ children }: { children: ReactNode }) {
  return <HydrationBoundary state={dehydrate(getQueryClient())}>{children}</HydrationBoundary>;
}
