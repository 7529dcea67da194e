const timeoutsInARow = 5;
const pauseMilliseconds = 1_000;

/**
 * Spares verifications a Redis that hangs: after 5 timeouts in a row this process skips slot reads for 1 s and asks the database at
 * once, filling nothing. Only reads: a purge is always attempted. One per process.
 */
export interface SlotBreaker {
  isOpen(): boolean;
  /** Notes how a slot read ended: its error, or null when Redis answered. One error that ends many reads, as of a batch, is one timeout. */
  note(fault: unknown): void;
}

export function createSlotBreaker(now: () => number = () => performance.now()): SlotBreaker {
  let timeouts = 0;
  let openUntil = 0;
  let lastFault: unknown;
  return {
    isOpen: () => now() < openUntil,
    note(fault) {
      if (fault !== null && fault === lastFault) return;
      lastFault = fault;
      const isTimeout = fault instanceof Error && fault.name === "TimeoutError";
      timeouts = isTimeout ? timeouts + 1 : 0;
      if (timeouts < timeoutsInARow) return;
      openUntil = now() + pauseMilliseconds;
      timeouts = 0;
    },
  };
}
