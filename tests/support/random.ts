/** A seeded generator (mulberry32): the same seed makes the same choices. Not for anything secret. */
export function createRandom(seed: number) {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    /** From 0 up to, and without, 1. */
    next,
    /** A whole number from `low` up to, and without, `high`. */
    between: (low: number, high: number) => low + Math.floor(next() * (high - low)),
    chance: (probability: number) => next() < probability,
    pick<T>(items: readonly T[]): T | undefined {
      return items[Math.floor(next() * items.length)];
    },
  };
}
export type Random = ReturnType<typeof createRandom>;
