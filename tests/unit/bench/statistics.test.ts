import { describe, expect, it } from "vitest";

import { createRandom } from "../../support/random";
import { median, medianInterval, quantile, slopeOf } from "../../bench/statistics";

describe("quantile", () => {
  it("is the value by nearest rank", () => {
    const hundred = Array.from({ length: 100 }, (_, at) => at + 1);
    expect([0, 0.5, 0.95, 0.99, 1].map((portion) => quantile(hundred, portion))).toEqual([1, 50, 95, 99, 100]);
  });

  it("of one value is that value", () => {
    expect(quantile([7], 0.99)).toBe(7);
  });

  it("of nothing is refused", () => {
    expect(() => quantile([], 0.5)).toThrow("no values");
  });
});

describe("median", () => {
  it("is the middle value, whatever the order", () => {
    expect(median([9, 1, 5])).toBe(5);
  });

  it("of an even number of values lies between the two in the middle", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it("sorts by number, not by text", () => {
    expect(median([10, 9, 100])).toBe(10);
  });
});

describe("medianInterval", () => {
  it("takes the ranks of the binomial table", () => {
    const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);
    // n and the rank of the lower bound, as in the usual tables for a two-sided 95 %.
    const ranks: [number, number][] = [
      [6, 1],
      [8, 1],
      [9, 2],
      [12, 3],
      [18, 5],
      [25, 8],
      [100, 40],
    ];
    for (const [count, rank] of ranks)
      expect([count, medianInterval(upTo(count))]).toEqual([count, { low: rank, high: count + 1 - rank }]);
  });

  it("refuses fewer than six values", () => {
    expect(() => medianInterval([1, 2, 3, 4, 5])).toThrow("too few");
  });

  it("holds the true median in at least 95 % of many samples", () => {
    const random = createRandom(1);
    const samples = 4_000;
    let hits = 0;
    for (let sample = 0; sample < samples; sample++) {
      // Skewed, as latencies are; the median of -ln(u) is ln 2.
      const { low, high } = medianInterval(Array.from({ length: 18 }, () => -Math.log(1 - random.next())));
      if (low <= Math.LN2 && Math.LN2 <= high) hits++;
    }
    expect(hits / samples).toBeGreaterThan(0.95);
    expect(hits / samples).toBeLessThan(0.985);
  });
});

describe("slopeOf", () => {
  it("of a line is the line's, without doubt", () => {
    const { value, low, high } = slopeOf([0, 1, 2, 3, 4].map((x) => [x, 7 + 3 * x]));
    for (const bound of [value, low, high]) expect(bound).toBeCloseTo(3, 10);
  });

  it("has the interval of a worked example", () => {
    // By hand: the residuals' squares add up to 0.8, so the slope's error is 0.1633; Student's t with 3 degrees of freedom is 3.182.
    const { value, low, high } = slopeOf([1, 3, 4, 7, 8].map((y, x) => [x, y]));
    expect([value, low, high].map((bound) => Number(bound.toFixed(2)))).toEqual([1.8, 1.28, 2.32]);
  });

  it("lies in its interval about 95 times in 100, also where each sample resembles the last one", () => {
    const random = createRandom(7);
    let hits = 0;
    for (let trial = 0; trial < 400; trial++) {
      let drift = 0;
      const points = Array.from({ length: 60 }, (_, x): [number, number] => {
        drift = 0.5 * drift + random.next() - 0.5;
        return [x, 2 * x + drift];
      });
      const { low, high } = slopeOf(points);
      if (low <= 2 && high >= 2) hits++;
    }
    expect(hits / 400).toBeGreaterThan(0.9);
  });

  it("of few points is refused", () => {
    expect(() => slopeOf([[0, 1]])).toThrow("too few");
  });
});
