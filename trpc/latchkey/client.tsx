"use client";

import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import { createContext, type ReactNode, use, useEffect, useState } from "react";
import superjson from "superjson";

import { expectedOwnerHeader } from "latchkey/shared";
import type { AppRouter } from "latchkey/trpc";

import { queriesOf } from "./queries";
import { createQueryClient } from "./query-client";
import { createSessionFetch } from "./session-fetch";

interface ApiKeysProviderProps {
  ownerId: string;
  /** Where the procedures are, such as `/api/trpc`. */
  endpoint: string;
  /** Asks the sign-in for a new session token, after a call was answered with 401. Null: the session has ended. */
  freshToken: () => Promise<string | null>;
  children: ReactNode;
}

const ApiKeysContext = createContext<ReturnType<typeof connect> | null>(null);

/** The procedures of the account whose page this is, and the queries of it. Inputs and answers have the types of the server. */
export function useApiKeys() {
  const apiKeys = use(ApiKeysContext);
  if (!apiKeys) throw new Error("useApiKeys needs an ApiKeysProvider above it.");
  return apiKeys;
}

/**
 * Gives its children the procedures and answers of one account. Each account has a cache of its own. When another account comes, the old cache
 * is emptied and its open queries are cancelled.
 */
export function ApiKeysProvider(props: ApiKeysProviderProps) {
  return <OwnedProvider key={props.ownerId} {...props} />;
}

// The old cache is emptied when the next one is there, and not on unmount, since React unmounts and mounts again in development.
let current: QueryClient | undefined;

function OwnedProvider({ children, ...props }: ApiKeysProviderProps) {
  const [queryClient] = useState(createQueryClient);
  const [apiKeys] = useState(() => connect(props));
  useEffect(() => {
    if (current && current !== queryClient) void forget(current);
    current = queryClient;
  }, [queryClient]);
  return (
    <QueryClientProvider client={queryClient}>
      <ApiKeysContext value={apiKeys}>{children}</ApiKeysContext>
    </QueryClientProvider>
  );
}

function connect({ ownerId, endpoint, freshToken }: Omit<ApiKeysProviderProps, "children">) {
  // No loggerLink: it prints inputs and results, and one result holds a secret.
  const { apiKeys: procedures } = createTRPCClient<AppRouter>({
    links: [
      httpBatchLink({
        url: endpoint,
        transformer: superjson,
        maxItems: 10,
        fetch: createSessionFetch(freshToken),
        headers: { [expectedOwnerHeader]: ownerId },
      }),
    ],
  });
  const queries = queriesOf(ownerId, {
    list: () => procedures.list.query(),
    usage: (input) => procedures.usage.query(input),
    history: (input) => procedures.history.query(input),
  });
  return { procedures, queries };
}

async function forget(queryClient: QueryClient): Promise<void> {
  await queryClient.cancelQueries();
  queryClient.clear();
}
