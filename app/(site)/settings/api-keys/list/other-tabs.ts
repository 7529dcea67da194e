import type { QueryClient } from "@tanstack/react-query";

/**
 * Tells this browser's other tabs when something was changed here, and listens to them. Two windows can stand side by side, and then nobody
 * "comes back" to the other one. A failed call counts too, since it may have changed something. @returns a function that ends this.
 */
export function shareChanges(queryClient: QueryClient, onChange: () => void): () => void {
  const channel = new BroadcastChannel("latchkey:api-keys");
  channel.addEventListener("message", onChange);
  const unsubscribe = queryClient.getMutationCache().subscribe((event) => {
    if (event.type === "updated" && (event.action.type === "success" || event.action.type === "error"))
      channel.postMessage(null);
  });
  return () => {
    unsubscribe();
    channel.close();
  };
}
