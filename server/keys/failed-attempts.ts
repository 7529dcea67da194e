import { LRUCache } from "lru-cache";

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
  /** A window begins with its first failure and does not move. The oldest make room. */
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
