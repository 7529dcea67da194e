import { defaultShouldDehydrateQuery, environmentManager, QueryClient } from "@tanstack/react-query";
import { TRPCClientError } from "@trpc/client";
import superjson from "superjson";

/** One per request on the server, one per tab in the browser. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // What the server has just prefetched is not fetched again at once.
        staleTime: 30_000,
        // Only what had no answer; an answered error is shown at once. The server leaves asking again to the browser.
        retry: (failures, error) =>
          !environmentManager.isServer() && failures < 2 && !(error instanceof TRPCClientError && error.data),
        // Paused calls would leave a person before a spinner: offline is a failure like any other.
        networkMode: "always",
      },
      mutations: { networkMode: "always" },
      dehydrate: {
        serializeData: superjson.serialize,
        // Pending queries too: the page streams, the browser takes over the promise.
        shouldDehydrateQuery: (query) => defaultShouldDehydrateQuery(query) || query.state.status === "pending",
        // Next must see its own errors, to know that a page is dynamic.
        shouldRedactErrors: () => false,
      },
      hydrate: { deserializeData: superjson.deserialize },
    },
  });
}
