/**
 * Calls back when this command has to end: Ctrl-C, SIGTERM, the terminal closed, or npm gone. It may do so more than
 * once, since npm passes on a signal that the terminal has sent already.
 */
export function onInterruption(stop: () => void) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  if (!process.env.npm_lifecycle_event) return;
  // npm sends a SIGTERM to its shell, which ends without passing it on; all that is left to see is another parent.
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) stop();
  }, 250).unref();
}
