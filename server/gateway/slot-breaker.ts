import { hasName } from "../shared/errors";

const timeoutsInARow = 5;
const pauseMilliseconds = 1_000;

/**
 * Keeps verifications from waiting for a Redis that hangs. After 5 timeouts in a row this process skips slot reads for 1 s: it asks the
 * database at once and fills nothing. Only reads are skipped; a purge is always tried. There is one for each process.
 */
export interface SlotBreaker {
  isOpen(): boolean;
  /** Notes how a slot read ended: with an error, or null when Redis answered. One error that ends a whole batch of reads counts once. */
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
      const isTimeout = hasName("TimeoutError")(fault);
      timeouts = isTimeout ? timeouts + 1 : 0;
      if (timeouts < timeoutsInARow) return;
      openUntil = now() + pauseMilliseconds;
      timeouts = 0;
    },
  };
}
