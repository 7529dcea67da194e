import "server-only";

import { dehydrate, HydrationBoundary } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { createAppRouter } from "latchkey/trpc";

import { getLatchkey } from "../../server/latchkey";
import { queriesOf } from "./queries";
import { createQueryClient } from "./query-client";

const caller = createAppRouter(getLatchkey).createCaller({});

/**
 * Starts to load the list, with the session of the request, and gives it to the children. The page does not wait: the list streams to the
 * browser when it is there.
 * @param ownerId only the first part of the query keys, as in `ApiKeysProvider`. The session decides whose keys are read.
 */
export function PrefetchedList({ ownerId, children }: { ownerId: string; children: ReactNode }) {
  const queryClient = createQueryClient();
  const { list } = queriesOf(ownerId, caller.apiKeys);
  queryClient
    .getQueryCache()
    .build(queryClient, queryClient.defaultQueryOptions(list))
    .fetch()
    // The browser reports a failure: it finds no data and asks again.
    .catch(() => undefined);
  return <HydrationBoundary state={dehydrate(queryClient)}>{children}</HydrationBoundary>;
}
