import { strings } from "../strings";

const units = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

/** "7 days", "24 hours", "90 minutes": in the largest unit of which it is more than one and a whole number. Minutes are rounded up. */
export function describeGrace(seconds: number): string {
  const [unit, size] = units.find(([, length]) => seconds > length && seconds % length === 0) ?? units[2];
  if (seconds === 3_600) return strings.rotate.durations.hour(1);
  return strings.rotate.durations[unit](Math.ceil(seconds / size));
}
