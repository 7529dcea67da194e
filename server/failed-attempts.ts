import { addressOrigin } from "./address-origin";

const windowMilliseconds = 60_000;
const allowedFailures = 30;
const capacity = 10_000;

/** Unknown keys by the address they came from, counted in this process: guessing costs the guesser, not the database. */
export interface FailedAttempts {
  /** How many seconds this address has to wait before a key that is not cached is looked up for it; 0 for not at all. */
  secondsToWait(address: string): number;
  note(address: string): void;
}

export function createFailedAttempts(now: () => Date): FailedAttempts {
  const windows = new Map<string, { startedAt: number; failures: number }>();
  const current = (address: string) => {
    const window = windows.get(address);
    return window && now().getTime() - window.startedAt < windowMilliseconds ? window : undefined;
  };
  return {
    secondsToWait(address) {
      const window = current(address);
      if (!window || window.failures < allowedFailures) return 0;
      return Math.max(1, Math.ceil((window.startedAt + windowMilliseconds - now().getTime()) / 1_000));
    },
    note(address) {
      const window = current(address);
      if (window) window.failures++;
      else {
        windows.delete(address);
        windows.set(address, { startedAt: now().getTime(), failures: 1 });
        // Bounded: the oldest window makes room.
        const [oldest] = windows.keys();
        if (windows.size > capacity && oldest !== undefined) windows.delete(oldest);
      }
    },
  };
}

/**
 * Who a request is counted as: the entry at `trustedHops` from the right of X-Forwarded-For, which that many proxies of ours have
 * appended. What stands further left was sent by the client and proves nothing. Neither does `Forwarded` (RFC 7239): it is not read,
 * since a client could send it past proxies that write the other header.
 * @returns the origin of the address, see `addressOrigin`. Null without trusted proxies, or when the header is too short: then the
 *   request did not come through them.
 */
export function clientAddress(headers: Headers, trustedHops: number): string | null {
  if (trustedHops === 0) return null;
  const entry = headers.get("x-forwarded-for")?.split(",").at(-trustedHops);
  return entry === undefined ? null : addressOrigin(entry);
}
