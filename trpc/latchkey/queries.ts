import { queryOptions } from "@tanstack/react-query";

import type { ApiKeyList, ApiKeyUsage } from "latchkey";

/** How to ask for what the page shows: over HTTP in a browser, by direct calls on the server. */
export interface Ask {
  list: () => Promise<ApiKeyList>;
  usage: (input: { id: string }) => Promise<ApiKeyUsage>;
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
  };
}
