import { LRUCache } from "lru-cache";

const windowMilliseconds = 60_000;
const capacity = 10_000;

/** Counts calls by who makes them, in this process, so without any I/O. After `allowed` in a minute somebody has to wait. */
export interface CallWindow {
  /** How many seconds `who` has to wait. 0: it need not wait. */
  secondsToWait(who: string): number;
  /** Counts one call. */
  note(who: string): void;
}

export function createCallWindow({ allowed, now }: { allowed: number; now: () => Date }): CallWindow {
  /** A window starts with its first call and does not move. When the memory is full, those used longest ago make room. */
  const calls = new LRUCache<string, { count: number }>({
    max: capacity,
    ttl: windowMilliseconds,
    ttlResolution: 0,
    perf: { now: () => now().getTime() },
  });
  /** After the clock was set back a window would last until it is where it was. */
  function windowOf(who: string) {
    if (calls.getRemainingTTL(who) > windowMilliseconds) calls.delete(who);
    return calls.peek(who);
  }

  return {
    secondsToWait(who) {
      const window = windowOf(who);
      if (!window || window.count < allowed) return 0;
      return Math.max(1, Math.ceil(calls.getRemainingTTL(who) / 1_000));
    },
    note(who) {
      const window = windowOf(who);
      if (window) window.count++;
      else calls.set(who, { count: 1 });
    },
  };
}
