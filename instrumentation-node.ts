import { beforeExit, prepareNodeRequests } from "latchkey/http";

import { getLatchkey } from "./server/latchkey";

const advice = "`npm run dev` starts local stand-ins for what is unset; see .env.example.";

/**
 * Ends the process when a setting is missing or malformed. Next would only report the error, and answer every request with a 500.
 * With good settings the first call of `getLatchkey` starts the drain of the outbox. On SIGTERM and SIGINT the process writes the uses that it
 * has counted.
 */
export function startServer(): void {
  try {
    assertBuiltWithSameKey();
    const { flush } = getLatchkey();
    prepareNodeRequests();
    beforeExit(flush);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : "Latchkey cannot start."}\n${advice}\n`);
    process.exit(1);
  }
}

/**
 * Next puts the build's value in the place of the first expression here. If the key at the start were another one, no session could be verified.
 */
function assertBuiltWithSameKey(): void {
  if (process.env.NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY !== getLatchkey().publishableKey)
    throw new Error(
      "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY is not the one that this build was made with. Build again with it.",
    );
}
