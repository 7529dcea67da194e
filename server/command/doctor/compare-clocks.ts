import type { Check, ClockReading } from "./check";

const mostMilliseconds = 2_000;

/**
 * Compares each two of the clocks: of this process, and of those that were read. What the time of a request could explain is no difference.
 * @param readings null: that clock could not be read.
 */
export function compareClocks(readings: Record<string, ClockReading | null>): Check {
  const name = "clocks";
  const unread = Object.keys(readings).filter((clock) => readings[clock] === null);
  const here: ClockReading = { aheadMilliseconds: 0, uncertainMilliseconds: 0 };
  const clocks: [string, ClockReading][] = [["this process", here]];
  for (const [clock, reading] of Object.entries(readings)) if (reading) clocks.push([clock, reading]);
  const apart = clocks.flatMap(([a, first], at) =>
    clocks.slice(at + 1).flatMap(([b, second]) => {
      const difference = second.aheadMilliseconds - first.aheadMilliseconds;
      const unexplained = Math.abs(difference) - first.uncertainMilliseconds - second.uncertainMilliseconds;
      if (unexplained <= mostMilliseconds) return [];
      const seconds = (Math.abs(difference) / 1_000).toFixed(1);
      return [`the clock of ${b} is ${seconds} s ${difference > 0 ? "ahead of" : "behind"} that of ${a}`];
    }),
  );
  if (apart.length > 0)
    return {
      name,
      ok: false,
      sentence: `The clocks differ by more than 2 s: ${apart.join("; ")}. Keys and old secrets then end too early or too late, and the times of receipts are wrong. Let every machine set its clock by NTP.`,
    };
  if (unread.length > 0)
    return {
      name,
      ok: false,
      sentence: `Not compared with ${unread.join(" and ")}, whose clock could not be read. Mend that first.`,
    };
  return {
    name,
    ok: true,
    sentence: `The clocks of ${clocks.map(([clock]) => clock).join(", ")} agree to within 2 s.`,
  };
}
