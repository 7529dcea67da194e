import { getLatchkey } from "@/latchkey";
import { prepareNodeRequests } from "@/server/http/prepare-node-request";
import { startDraining } from "@/server/outbox/drain";

/**
 * Ends the process when a setting is missing or malformed: Next would report the error and answer every request with a 500.
 * A long-lived server then drains the outbox by itself, and writes the uses it has counted when it is told to end.
 */
export function startServer(): void {
  try {
    assertBuiltWithSameKey();
    const context = getLatchkey().context;
    prepareNodeRequests();
    startDraining(context);
    for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => void context.usage.flush());
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : "Latchkey cannot start."}\n`);
    process.exit(1);
  }
}

/** Next writes the value that the build had in place of this expression. With another one at the start no session could be verified. */
function assertBuiltWithSameKey(): void {
  if (process.env.NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY !== getLatchkey().environment.NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY)
    throw new Error(
      "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY is not the one that this build was made with. Build again with it.",
    );
}
