import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import type { ApiKeyList, ApiKeyUsage, KeyEventPage } from "latchkey";

/** How to ask for what the page shows: over HTTP in a browser, by direct calls on the server. */
export interface Ask {
  list: () => Promise<ApiKeyList>;
  usage: (input: { id: string }) => Promise<ApiKeyUsage>;
  history: (input: { id?: string; cursor?: string; limit?: number }) => Promise<KeyEventPage>;
}

/**
 * The queries of one account, for browser and server alike. Every key begins with the owner, so that no account finds what was rendered for
 * another one.
 */
export function queriesOf(ownerId: string, ask: Ask) {
  return {
    list: queryOptions({ queryKey: [ownerId, "apiKeys", "list"], queryFn: ask.list }),
    usage: (id: string) =>
      queryOptions({ queryKey: [ownerId, "apiKeys", "usage", id], queryFn: () => ask.usage({ id }) }),
    /** @param id the key's id; undefined: what has happened to all of them and to the account. */
    history: (id: string | undefined) =>
      infiniteQueryOptions({
        queryKey: [ownerId, "apiKeys", "history", id ?? null],
        queryFn: ({ pageParam }) =>
          ask.history({ ...(id !== undefined && { id }), ...(pageParam !== null && { cursor: pageParam }) }),
        initialPageParam: null as string | null,
        getNextPageParam: ({ nextCursor }) => nextCursor,
        // Somebody who comes here wants to know what was done a moment ago.
        staleTime: 0,
      }),
    /** @param version differs when something has happened to the key. */
    latestEvents: (id: string, version: string) =>
      queryOptions({
        queryKey: [ownerId, "apiKeys", "latestEvents", id, version],
        queryFn: () => ask.history({ id, limit: 10 }),
        staleTime: 0,
      }),
    /** What has ended a key that somebody has found: null where its history does not tell. A dead key may be found in many more places. */
    exposure: (id: string, version: string) =>
      queryOptions({
        queryKey: [ownerId, "apiKeys", "exposure", id, version],
        queryFn: async () => {
          const { events } = await ask.history({ id, limit: 100 });
          return events.find(({ action, detail }) => action === "key.exposed" && detail.action === "revoke") ?? null;
        },
        staleTime: 0,
      }),
  };
}
