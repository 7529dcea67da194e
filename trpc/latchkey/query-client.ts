import { defaultShouldDehydrateQuery, QueryClient } from "@tanstack/react-query";
import { TRPCClientError } from "@trpc/client";
import superjson from "superjson";

/** Makes a cache of answers: one for each request on the server, one for each account in a browser's tab. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // What the server has just prefetched is not fetched again at once.
        staleTime: 30_000,
        // Asks again only when there was no answer. An error that was answered is shown at once. On the server nothing is asked again.
        retry: (failures, error) =>
          typeof window !== "undefined" && failures < 2 && !(error instanceof TRPCClientError && error.data),
        // Offline counts as a failure. Otherwise calls would be paused, and a person would look at a spinner.
        networkMode: "always",
      },
      mutations: { networkMode: "always" },
      dehydrate: {
        serializeData: superjson.serialize,
        // Pending queries are sent too: the page streams, and the browser waits for the promise.
        shouldDehydrateQuery: (query) => defaultShouldDehydrateQuery(query) || query.state.status === "pending",
        // Next must see its own errors. They tell it that a page is dynamic.
        shouldRedactErrors: () => false,
      },
      hydrate: { deserializeData: superjson.deserialize },
    },
  });
}
