"use client";

import { area, curveMonotoneX, line } from "d3-shape";

const width = 100;
const height = 32;
/** So that a line at the top or the bottom is not cut. */
const margin = 1.5;

/** A curve over `values`, as wide as there is room. Only for the eye: what it shows has to be said beside it. */
export function Sparkline({ values }: { values: readonly number[] }) {
  const highest = Math.max(1, ...values);
  const x = (_value: number, at: number) => (at / Math.max(1, values.length - 1)) * width;
  const y = (value: number) => height - margin - (value / highest) * (height - 2 * margin);
  const data = [...values];
  return (
    <svg aria-hidden viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" className="h-10 w-full text-brand">
      <path d={area<number>(x, height, y).curve(curveMonotoneX)(data) ?? ""} className="fill-current opacity-15" />
      <path
        d={line<number>(x, y).curve(curveMonotoneX)(data) ?? ""}
        vectorEffect="non-scaling-stroke"
        className="fill-none stroke-current stroke-[1.5px]"
      />
    </svg>
  );
}
