import "server-only";

import { dehydrate, HydrationBoundary, type QueryExecuteOptions, type QueryKey } from "@tanstack/react-query";
import { createTRPCOptionsProxy } from "@trpc/tanstack-react-query";
import { cache, type ReactNode } from "react";

import { createTrpcContext } from "./context";
import { createQueryClient } from "./query-client";
import { type AppRouter, appRouter } from "./routers";

// Once per request, however many components ask.
const getContext = cache(() => createTrpcContext());
const getQueryClient = cache(createQueryClient);

/**
 * Query options for server components; they call the procedures directly, with the request's own session.
 * `ownerId` is only the first part of the query keys, as in `TrpcProvider`: whose data it is, the session says.
 */
export function trpcFor(ownerId: string) {
  return createTRPCOptionsProxy<AppRouter, { keyPrefix: true }>({
    router: appRouter,
    ctx: getContext,
    queryClient: getQueryClient,
    keyPrefix: ownerId,
  });
}

/** Starts a query without waiting: its result is streamed to the browser by `HydrateClient`. */
export function prefetch<Data, Failure, Selected, Key extends QueryKey>(
  options: QueryExecuteOptions<Data, Failure, Selected, Data, Key>,
): void {
  // A failure is the browser's to report: it finds no data and asks again.
  getQueryClient()
    .query(options)
    .catch(() => undefined);
}

export function HydrateClient({ children }: { children: ReactNode }) {
  return <HydrationBoundary state={dehydrate(getQueryClient())}>{children}</HydrationBoundary>;
}
