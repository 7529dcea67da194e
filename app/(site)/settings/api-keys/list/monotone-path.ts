interface Point {
  x: number;
  y: number;
}

/**
 * The path of a smooth curve through `points`, which go from left to right. Between two points it never rises above the higher nor falls below
 * the lower one, so it shows no peak that is not there. Steffen, "A simple method for monotonic interpolation in one dimension", 1990.
 */
export function monotonePath(points: readonly Point[]): string {
  const slopes = points.map((point, at) => innerSlope(points[at - 1], point, points[at + 1]));
  return points
    .map((point, at) => {
      const before = points[at - 1];
      if (!before) return `M${point.x},${point.y}`;
      const secant = slopeBetween(before, point);
      const inner = [slopes[at - 1] ?? null, slopes[at] ?? null] as const;
      const start = inner[0] ?? endSlope(secant, inner[1]);
      const end = inner[1] ?? endSlope(secant, inner[0]);
      const third = (point.x - before.x) / 3;
      return `C${before.x + third},${before.y + third * start},${point.x - third},${point.y - third * end},${point.x},${point.y}`;
    })
    .join("");
}

const slopeBetween = (from: Point, to: Point) => (to.y - from.y) / (to.x - from.x);

/** Null at the first and the last point. */
function innerSlope(before: Point | undefined, point: Point, after: Point | undefined): number | null {
  if (!before || !after) return null;
  const [left, right] = [slopeBetween(before, point), slopeBetween(point, after)];
  // At a peak and in a valley the curve is level.
  if (left * right <= 0) return 0;
  const [leftWidth, rightWidth] = [point.x - before.x, after.x - point.x];
  const mean = (left * rightWidth + right * leftWidth) / (leftWidth + rightWidth);
  return 2 * Math.sign(left) * Math.min(Math.abs(left), Math.abs(right), Math.abs(mean) / 2);
}

const endSlope = (secant: number, neighbour: number | null) =>
  neighbour === null ? secant : (3 * secant - neighbour) / 2;
