import { setTimeout as sleep } from "node:timers/promises";

/** Supervisors kill what they have told to end after 10 s or more. */
const patienceMilliseconds = 5_000;

/**
 * Does the last work of a `next start` that is told to end (SIGTERM, SIGINT). Call it once, when the server starts.
 *
 * Next's own listener closes the server and calls `process.exit`, and waits for nothing of ours. So that call is what waits: for `work`, or 5
 * seconds. No request runs then any more. Elsewhere, such as on a plain Node server, call `latchkey.close()` instead.
 */
export function beforeExit(work: () => Promise<void>): void {
  let isTold = false;
  const delayExit = () => {
    if (isTold) return;
    isTold = true;
    const exit = process.exit.bind(process);
    process.exit = ((code) => {
      process.exit = exit;
      void Promise.race([work(), sleep(patienceMilliseconds)]).finally(() => exit(code));
    }) as typeof exit;
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, delayExit);
}
