import { getServerContext } from "@/server/context";
import { startDraining } from "@/server/purges/drain";

/**
 * Ends the process when a setting is missing or malformed: Next would report the error and answer every request with a 500.
 * A long-lived server then drains the outbox by itself, and writes the uses it has counted when it is told to end.
 */
export function startServer(): void {
  try {
    const context = getServerContext();
    startDraining(context);
    for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => void context.usage.flush());
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : "Latchkey cannot start."}\n`);
    process.exit(1);
  }
}
