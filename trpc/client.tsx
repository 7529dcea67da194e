"use client";

import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import { createTRPCContext } from "@trpc/tanstack-react-query";
import { type ReactNode, useEffect, useState } from "react";
import superjson from "superjson";

import { expectedOwnerHeader } from "./expected-owner";
import { createQueryClient } from "./query-client";
import type { AppRouter } from "./routers";
import { fetchNotingServerTime } from "./server-time";

const { TRPCProvider, useTRPC } = createTRPCContext<AppRouter, { keyPrefix: true }>();
export { useTRPC };

/**
 * One account's procedures and answers. Every query key begins with the owner, so that what the server rendered for one account is
 * never found by another; and each account gets a cache of its own, dropped when it is left, with the answers still on their way.
 */
export function TrpcProvider({ ownerId, children }: { ownerId: string; children: ReactNode }) {
  return (
    <OwnedProvider key={ownerId} ownerId={ownerId}>
      {children}
    </OwnedProvider>
  );
}

// Forgotten when the next account's is there, not on unmount: React unmounts and mounts again in development.
let current: QueryClient | undefined;

function OwnedProvider({ ownerId, children }: { ownerId: string; children: ReactNode }) {
  const [queryClient] = useState(createQueryClient);
  // No loggerLink: it prints inputs and results, and one result holds a secret.
  const [client] = useState(() =>
    createTRPCClient<AppRouter>({
      links: [
        httpBatchLink({
          url: "/api/trpc",
          transformer: superjson,
          maxItems: 10,
          fetch: fetchNotingServerTime,
          headers: { [expectedOwnerHeader]: ownerId },
        }),
      ],
    }),
  );
  useEffect(() => {
    if (current && current !== queryClient) void forget(current);
    current = queryClient;
  }, [queryClient]);
  return (
    <QueryClientProvider client={queryClient}>
      <TRPCProvider trpcClient={client} queryClient={queryClient} keyPrefix={ownerId}>
        {children}
      </TRPCProvider>
    </QueryClientProvider>
  );
}

async function forget(queryClient: QueryClient): Promise<void> {
  await queryClient.cancelQueries();
  queryClient.clear();
}
