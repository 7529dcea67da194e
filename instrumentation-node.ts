import { getLatchkey } from "@/latchkey";
import { prepareNodeRequests } from "@/server/http/prepare-node-request";
import { startDraining } from "@/server/outbox/drain";

/**
 * Ends the process when a setting is missing or malformed. Next would only report the error, and answer every request with a 500.
 * With good settings it starts the drain of the outbox. On SIGTERM and SIGINT it writes the uses that it has counted.
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

/**
 * Next puts the build's value in the place of the first expression here. If the key at the start were another one, no session could be verified.
 */
function assertBuiltWithSameKey(): void {
  if (process.env.NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY !== getLatchkey().environment.NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY)
    throw new Error(
      "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY is not the one that this build was made with. Build again with it.",
    );
}
