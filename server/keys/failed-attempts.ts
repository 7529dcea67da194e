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
