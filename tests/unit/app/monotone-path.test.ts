import { expect, it } from "vitest";

import { monotonePath } from "@/app/(site)/settings/api-keys/list/monotone-path";

const path = (...values: number[]) => monotonePath(values.map((y, at) => ({ x: 3 * at, y })));

/** Each curve's two handles and its end. */
const curvesOf = (text: string) =>
  [...text.matchAll(/C([^CM]+)/g)].map(([, numbers = ""]) => numbers.split(",").map(Number));

it("a curve goes through every point", () => {
  const ends = curvesOf(path(0, 5, 1, 1, 9)).map((numbers) => numbers.slice(4));
  expect(ends).toEqual([
    [3, 5],
    [6, 1],
    [9, 1],
    [12, 9],
  ]);
});

it("a curve rises above no value and falls below none", () => {
  const values = [0, 0, 9, 0, 3, 4, 100, 99, 0, 0, 1];
  curvesOf(path(...values)).forEach(([, first = NaN, , second = NaN], at) => {
    const between = [values[at] ?? NaN, values[at + 1] ?? NaN];
    for (const handle of [first, second]) {
      expect(handle).toBeGreaterThanOrEqual(Math.min(...between));
      expect(handle).toBeLessThanOrEqual(Math.max(...between));
    }
  });
});

it("a line stays a line", () => {
  expect(path(0, 3, 6)).toBe("M0,0C1,1,2,2,3,3C4,4,5,5,6,6");
});
