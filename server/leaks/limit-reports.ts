import type { LeakContext } from "./context";

/**
 * Counts a report. With addresses, each may send 30 a minute. Without, all together may send 300 a minute to this process.
 * @param address the sender's, see `clientAddress`. Null: it did not come through our proxies, or there are none.
 * @returns how many seconds the sender has to wait. 0: the report is within the limit.
 */
export function secondsUntilReport({ leaks, settings }: LeakContext, address: string | null): number {
  const usesAddresses = settings.trustedProxyHops > 0;
  const window = usesAddresses ? leaks.ofAddress : leaks.ofAll;
  const who = usesAddresses ? (address ?? "none") : "all";
  const seconds = window.secondsToWait(who);
  if (seconds === 0) window.note(who);
  return seconds;
}
