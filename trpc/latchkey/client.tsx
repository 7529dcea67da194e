"use client";

import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import { createTRPCContext } from "@trpc/tanstack-react-query";
import { type ReactNode, useEffect, useState } from "react";
import superjson from "superjson";

import { expectedOwnerHeader } from "latchkey/shared";
import { createQueryClient } from "./query-client";
import type { AppRouter } from "latchkey/trpc";
import { createSessionFetch } from "./session-fetch";

const { TRPCProvider, useTRPC } = createTRPCContext<AppRouter, { keyPrefix: true }>();
export { useTRPC };

interface TrpcProviderProps {
  ownerId: string;
  /** Asks the sign-in for a new session token, after a call was answered with 401. Null: the session has ended. */
  freshToken: () => Promise<string | null>;
  children: ReactNode;
}

/**
 * Gives its children the procedures and answers of one account. Every query key begins with the owner, so that no account finds what the
 * server rendered for another one. Each account has a cache of its own. When another account comes, the old cache is emptied and its open calls
 * are cancelled.
 */
export function TrpcProvider(props: TrpcProviderProps) {
  return <OwnedProvider key={props.ownerId} {...props} />;
}

// The old cache is emptied when the next one is there, and not on unmount, since React unmounts and mounts again in development.
let current: QueryClient | undefined;

function OwnedProvider({ ownerId, freshToken, children }: TrpcProviderProps) {
  const [queryClient] = useState(createQueryClient);
  // No loggerLink: it prints inputs and results, and one result holds a secret.
  const [client] = useState(() =>
    createTRPCClient<AppRouter>({
      links: [
        httpBatchLink({
          url: "/api/trpc",
          transformer: superjson,
          maxItems: 10,
          fetch: createSessionFetch(freshToken),
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
