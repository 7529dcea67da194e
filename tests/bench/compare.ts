import type { Block, Metric } from "./block";
import { type Interval, median, medianInterval } from "./statistics";

/** One of the two things that are compared. */
export interface Side {
  name: string;
  run(): Promise<Block>;
}

/** What a ratio, the candidate's value to the base's, has to be. */
export interface Goal {
  metric: Metric;
  atMost?: number;
  atLeast?: number;
}

export interface Effort {
  /** A multiple of 6, so that each of the 6 orders of the three blocks comes equally often. */
  rounds: number;
  blockMilliseconds: number;
  /** Blocks of each side before the first that counts, until the compiler has seen the code often enough. */
  warmUpBlocks: number;
  /** How often a comparison is made at most, when the machine was too noisy. */
  attempts: number;
}

export interface Ratio {
  metric: Metric;
  /** The median of the block ratios, candidate to base. */
  median: number;
  interval: Interval;
  /** The same for the base against itself: what the machine's noise alone does. */
  noise: number;
  goal?: Goal;
  /** By the median. Null: there is no goal, or the machine was too noisy to tell. */
  isMet: boolean | null;
}

export interface Comparison {
  title: string;
  /** The median over the blocks of each side, base first. */
  sides: { name: string; block: Block }[];
  ratios: Ratio[];
  rounds: number;
  attempts: number;
}

const noiseLimit = 1.05;
const tailNoiseLimit = 1.1;
const orders = [
  [0, 1, 2],
  [2, 1, 0],
  [1, 0, 2],
  [2, 0, 1],
  [0, 2, 1],
  [1, 2, 0],
] as const;

/**
 * Runs blocks of the base, of the candidate and of the base again, in changing order, and compares them round by round: what slows
 * the machine for longer than a round slows all three. Made again where the base against itself is off by more than 5 % in a metric
 * that has a goal (10 % for p99); if it never is quiet, the quietest attempt is told, with its goals undecided.
 */
export async function compare(
  title: string,
  base: Side,
  candidate: Side,
  effort: Effort,
  goals: readonly Goal[] = [],
): Promise<Comparison> {
  for (let block = 0; block < effort.warmUpBlocks; block++) for (const side of [base, candidate]) await side.run();
  const made: Comparison[] = [];
  while (made.length < effort.attempts) {
    const comparison = await compareOnce(title, base, candidate, effort, goals);
    made.push(comparison);
    if (excessNoise(comparison) <= 1) break;
  }
  const [quietest] = made.toSorted((a, b) => excessNoise(a) - excessNoise(b));
  if (!quietest) throw new Error("no attempt was made");
  return { ...quietest, attempts: made.length };
}

async function compareOnce(
  title: string,
  base: Side,
  candidate: Side,
  { rounds }: Effort,
  goals: readonly Goal[],
): Promise<Comparison> {
  const sides = [base, candidate, base] as const;
  const blocks: [Block[], Block[], Block[]] = [[], [], []];
  for (let round = 0; round < rounds; round++)
    for (const at of orders[round % orders.length] ?? orders[0]) blocks[at].push(await sides[at].run());
  const metrics: Metric[] = ["p50", "p95", "p99", "requestsPerSecond"];
  return {
    title,
    sides: [
      { name: base.name, block: medianBlock([...blocks[0], ...blocks[2]]) },
      { name: candidate.name, block: medianBlock(blocks[1]) },
    ],
    ratios: metrics.map((metric) =>
      judge(
        metric,
        ratiosOf(blocks[1], blocks[0], metric),
        ratiosOf(blocks[2], blocks[0], metric),
        goals.find((goal) => goal.metric === metric),
      ),
    ),
    rounds,
    attempts: 1,
  };
}

/** @param noise the ratios of the base against itself */
export function judge(
  metric: Metric,
  ratios: readonly number[],
  noise: readonly number[],
  goal: Goal | undefined,
): Ratio {
  const value = median(ratios);
  const ratio = { metric, median: value, interval: medianInterval(ratios), noise: median(noise) };
  if (!goal) return { ...ratio, isMet: null };
  return { ...ratio, goal, isMet: noiseOf(ratio) <= 1 || isFarFrom(goal, ratio) ? isWithin(goal, value) : null };
}

function isWithin({ atMost = Infinity, atLeast = -Infinity }: Goal, value: number): boolean {
  return value >= atLeast && value <= atMost;
}

/** Whether the answer is the same all over the interval, were it off by as much as the base from itself. Never so for p99. */
function isFarFrom(goal: Goal, { metric, interval, noise }: Pick<Ratio, "metric" | "interval" | "noise">): boolean {
  const factor = Math.max(noise, 1 / noise);
  return metric !== "p99" && isWithin(goal, interval.low / factor) === isWithin(goal, interval.high * factor);
}

function ratiosOf(numerators: readonly Block[], denominators: readonly Block[], metric: Metric): number[] {
  return numerators.map((block, at) => block[metric] / (denominators[at]?.[metric] ?? NaN));
}

/** How far the base is off from itself, in units of what is allowed. */
function noiseOf({ metric, noise }: Pick<Ratio, "metric" | "noise">): number {
  return Math.abs(Math.log(noise)) / Math.log(metric === "p99" ? tailNoiseLimit : noiseLimit);
}

function excessNoise({ ratios }: Comparison): number {
  return Math.max(0, ...ratios.filter((ratio) => ratio.goal).map(noiseOf));
}

function medianBlock(blocks: readonly Block[]): Block {
  const of = (metric: Metric) => median(blocks.map((block) => block[metric]));
  return {
    p50: of("p50"),
    p95: of("p95"),
    p99: of("p99"),
    requestsPerSecond: of("requestsPerSecond"),
    failures: blocks.reduce((sum, block) => sum + block.failures, 0),
  };
}
