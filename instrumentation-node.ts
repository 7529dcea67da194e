import { getServerContext } from "@/server/context";
import { startDraining } from "@/server/purges/drain";

/**
 * Ends the process when a setting is missing or malformed: Next would report the error and answer every request with a 500.
 * A long-lived server then drains the outbox by itself.
 */
export function startServer(): void {
  try {
    startDraining(getServerContext());
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : "Latchkey cannot start."}\n`);
    process.exit(1);
  }
}
