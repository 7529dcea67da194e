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

export interface Slope extends Interval {
  /** By least squares. */
  value: number;
}

/**
 * How fast `y` grows with `x`, and a 95 % interval. Samples in a row resemble each other, which would make the interval too narrow: it is widened
 * by the correlation of each residual with the next one (as for an AR(1) process).
 * @throws with fewer than 4 points.
 */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): Slope {
  const count = points.length;
  if (count < 4) throw new Error(`${count} points are too few for a slope`);
  const meanX = sum(points.map(([x]) => x)) / count;
  const meanY = sum(points.map(([, y]) => y)) / count;
  const spread = sum(points.map(([x]) => (x - meanX) ** 2));
  const value = sum(points.map(([x, y]) => (x - meanX) * (y - meanY))) / spread;
  const residuals = points.map(([x, y]) => y - meanY - value * (x - meanX));
  const squares = sum(residuals.map((residual) => residual ** 2));
  const products = sum(residuals.slice(1).map((residual, at) => residual * (residuals[at] ?? 0)));
  const correlation = squares === 0 ? 0 : Math.min(0.95, Math.max(0, products / squares));
  const widening = Math.sqrt((1 + correlation) / (1 - correlation));
  const error = Math.sqrt(squares / (count - 2) / spread) * widening;
  const half = studentQuantile(count - 2) * error;
  return { value, low: value - half, high: value + half };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The 97.5 % quantile of Student's distribution, by its expansion around the normal one (Abramowitz and Stegun, 26.7.5). */
function studentQuantile(freedom: number): number {
  const z = 1.959964;
  return (
    z +
    (z ** 3 + z) / (4 * freedom) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * freedom ** 3)
  );
}
