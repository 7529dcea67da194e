/** The value below or at which the share `portion` of the sorted values lies (nearest rank). @throws when there is none. */
export function quantile(sorted: ArrayLike<number>, portion: number): number {
  const value = sorted[Math.max(0, Math.ceil(portion * sorted.length) - 1)];
  if (value === undefined) throw new Error("no values");
  return value;
}

/** The middle value, or the mean of the two middle ones. @throws when there is none. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new Error("no values");
  return (lower + upper) / 2;
}

export interface Interval {
  low: number;
  high: number;
}

/**
 * Where the median lies with at least 95 % confidence, from order statistics alone: no assumption about the distribution.
 * The k-th smallest and k-th largest value bound it, k the largest for which fewer than k of n fair coins show heads in at most 2.5 %
 * (H. A. David, H. N. Nagaraja, "Order Statistics", 2003, section 7.1).
 * @throws with fewer than 6 values, whose extremes bound it with less than 95 %.
 */
export function medianInterval(values: readonly number[]): Interval {
  const sorted = Float64Array.from(values).sort();
  const count = sorted.length;
  let rank = 0;
  let tail = 0;
  for (let probability = 0.5 ** count; tail + probability <= 0.025; rank++) {
    tail += probability;
    probability *= (count - rank) / (rank + 1);
  }
  const low = sorted[rank - 1];
  const high = sorted[count - rank];
  if (low === undefined || high === undefined) throw new Error(`${count} values are too few for a 95 % interval`);
  return { low, high };
}
