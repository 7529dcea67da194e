/** Runs once, before the first request: a server with a missing or malformed setting must not start. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  const { getServerContext } = await import("@/server/context");
  const { startDraining } = await import("@/server/purges/drain");
  startDraining(getServerContext());
}
