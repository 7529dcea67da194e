import { LRUCache } from "lru-cache";

const windowMilliseconds = 60_000;
const allowedFailures = 30;
const capacity = 10_000;

/**
 * Counts unknown keys by the address that they came from, in this process. After 30 in a minute an address has to wait, so that guessing
 * does not cost the database a read each time.
 */
export interface FailedAttempts {
  /** How many seconds this address has to wait until a key that is not cached is looked up for it. 0: it need not wait. */
  secondsToWait(address: string): number;
  /** Counts one unknown key. */
  note(address: string): void;
}

export function createFailedAttempts(now: () => Date): FailedAttempts {
  /** A window starts with its first failure and does not move. When the memory is full, the addresses used longest ago make room. */
  const failures = new LRUCache<string, { count: number }>({
    max: capacity,
    ttl: windowMilliseconds,
    ttlResolution: 0,
    perf: { now: () => now().getTime() },
  });
  return {
    secondsToWait(address) {
      const window = failures.peek(address);
      if (!window || window.count < allowedFailures) return 0;
      return Math.max(1, Math.ceil(failures.getRemainingTTL(address) / 1_000));
    },
    note(address) {
      const window = failures.peek(address);
      if (window) window.count++;
      else failures.set(address, { count: 1 });
    },
  };
}
