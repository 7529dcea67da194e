import { monotonePath } from "./monotone-path";

const width = 100;
const height = 32;
/** Room above and below, so that a line at the edge is not cut. */
const margin = 1.5;

/** Draws a curve over `values`, as wide as there is room. Screen readers do not see it, so a text beside it has to say the same. */
export function Sparkline({ values }: { values: readonly number[] }) {
  const highest = Math.max(1, ...values);
  const points = values.map((value, at) => ({
    x: (at / Math.max(1, values.length - 1)) * width,
    y: height - margin - (value / highest) * (height - 2 * margin),
  }));
  const line = monotonePath(points);
  return (
    <svg aria-hidden viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" className="h-10 w-full text-brand">
      <path d={`${line}V${height}H0Z`} className="fill-current opacity-15" />
      <path d={line} vectorEffect="non-scaling-stroke" className="fill-none stroke-current stroke-[1.5px]" />
    </svg>
  );
}
