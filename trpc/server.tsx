import "server-only";

import { dehydrate, HydrationBoundary, type QueryClient } from "@tanstack/react-query";
import { createTRPCOptionsProxy } from "@trpc/tanstack-react-query";
import { cache, type ReactNode } from "react";

import { createTrpcContext } from "./context";
import { createQueryClient } from "./query-client";
import { appRouter } from "./routers";

// Once per request, however many components ask.
const getContext = cache(createTrpcContext);
const getQueryClient = cache(createQueryClient);

/** Query options for server components; they call the procedures directly, with the request's own session. */
export const trpc = createTRPCOptionsProxy({ router: appRouter, ctx: getContext, queryClient: getQueryClient });

/** Starts a query without waiting: its result is streamed to the browser by `HydrateClient`. */
export function prefetch(options: Parameters<QueryClient["query"]>[0]): void {
  // A failure is the browser's to report: it finds no data and asks again.
  getQueryClient()
    .query(options)
    .catch(() => undefined);
}

export function HydrateClient({ children }: { children: ReactNode }) {
  return <HydrationBoundary state={dehydrate(getQueryClient())}>{children}</HydrationBoundary>;
}
