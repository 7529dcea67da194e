import type { Comparison, Effort } from "./compare";
import type { Services } from "./services";

/** What a suite has found, in the order of the report. */
export interface Findings {
  comparisons: Comparison[];
  /** What was measured without a comparison: sizes, counts, what a side does for a request. */
  notes: string[];
}

interface SuiteOptions {
  services: Services;
  effort: Effort;
  /** Less of everything, to see that it works; its numbers say little. */
  isQuick: boolean;
}

export type Suite = (options: SuiteOptions) => Promise<Findings>;
