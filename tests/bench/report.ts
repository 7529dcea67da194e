import type { Metric } from "./block";
import type { Comparison, Goal, Ratio } from "./compare";
import type { Findings } from "./suite";

const metricNames: Record<Metric, string> = {
  p50: "p50",
  p95: "p95",
  p99: "p99",
  requestsPerSecond: "requests/s",
};

/** The findings of a suite in Markdown: for each comparison what both sides took, and their ratios. */
export function renderFindings(title: string, { comparisons, notes }: Findings): string {
  const parts = comparisons.map(renderComparison);
  return [`### ${title}`, ...parts, ...(notes.length > 0 ? [notes.map((note) => `- ${note}`).join("\n")] : [])].join(
    "\n\n",
  );
}

function renderComparison({ title, sides, ratios, rounds, attempts }: Comparison): string {
  const failures = sides.filter(({ block }) => block.failures > 0);
  return [
    `**${title}** (${rounds} rounds${attempts > 1 ? `, attempt ${attempts}` : ""})`,
    table(
      ["", "p50 ms", "p95 ms", "p99 ms", "requests/s"],
      sides.map(({ name, block }) => [
        name,
        ...[block.p50, block.p95, block.p99].map((value) => value.toFixed(value < 10 ? 3 : 1)),
        block.requestsPerSecond.toFixed(0),
      ]),
    ),
    table(
      ["second to first", "median ratio", "95 % interval", "first to itself", "goal"],
      ratios.map((ratio) => [
        metricNames[ratio.metric],
        ratio.median.toFixed(3),
        `${ratio.interval.low.toFixed(3)} to ${ratio.interval.high.toFixed(3)}`,
        ratio.noise.toFixed(3),
        verdict(ratio),
      ]),
    ),
    ...failures.map(({ name, block }) => `${name}: ${block.failures} calls failed and are not counted.`),
  ].join("\n\n");
}

/** One line for each goal, in plain words. */
export function renderGoals(findings: readonly Findings[]): string[] {
  return findings.flatMap(({ comparisons }) =>
    comparisons.flatMap(({ title, ratios }) =>
      ratios.filter((ratio) => ratio.goal).map((ratio) => `${title}: ${metricNames[ratio.metric]} ${verdict(ratio)}`),
    ),
  );
}

function verdict({ goal, isMet, median }: Ratio): string {
  if (!goal) return "";
  const asked = describeGoal(goal);
  if (isMet === null) return `${asked}: not decided, the machine was too noisy (measured ${median.toFixed(3)})`;
  return isMet ? `${asked}: met` : `${asked}: NOT met (${median.toFixed(3)})`;
}

function describeGoal({ atMost, atLeast }: Goal): string {
  return [atMost !== undefined && `at most ${atMost}`, atLeast !== undefined && `at least ${atLeast}`]
    .filter(Boolean)
    .join(", ");
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, at) => (at === 0 ? "---" : "--:"))), ...rows.map(line)].join("\n");
}
