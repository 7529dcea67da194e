import { describe, expect, it } from "vitest";

import { type Block, summarize } from "../../bench/block";
import { compare, judge, type Side } from "../../bench/compare";

const effort = { rounds: 6, blockMilliseconds: 0, warmUpBlocks: 1, attempts: 3 };

/** A side whose blocks take the given times, one after the other, and then the last one for ever. */
function sideOf(name: string, ...times: number[]): Side & { runs: number } {
  const side = {
    name,
    runs: 0,
    run(): Promise<Block> {
      const time = times[Math.min(side.runs++, times.length - 1)] ?? NaN;
      return Promise.resolve({ p50: time, p95: time, p99: time, requestsPerSecond: 1_000 / time, failures: 1 });
    },
  };
  return side;
}

describe("compare", () => {
  it("tells the candidate's value in proportion to the base's", async () => {
    const { ratios, sides } = await compare("", sideOf("base", 2), sideOf("candidate", 3), effort);
    expect(ratios.map(({ metric, median, noise }) => [metric, median, noise])).toEqual([
      ["p50", 1.5, 1],
      ["p95", 1.5, 1],
      ["p99", 1.5, 1],
      ["requestsPerSecond", 2 / 3, 1],
    ]);
    expect(sides.map(({ name, block }) => [name, block.p50])).toEqual([
      ["base", 2],
      ["candidate", 3],
    ]);
  });

  describe("where the base is off from itself by more than 5 %", () => {
    const goals = [{ metric: "p50" as const, atMost: 1.1 }];
    // Of the base's two blocks in a round, the one that is compared with the other takes longer, whichever comes first.
    const noisyAttempt = [1, 1.2, 1.2, 1, 1, 1.2, 1.2, 1, 1, 1.2, 1.2, 1];

    it("is made again", async () => {
      const base = sideOf("base", 1, ...noisyAttempt, 1);
      const { attempts, ratios } = await compare("", base, sideOf("candidate", 1.05), effort, goals);
      expect(attempts).toBe(2);
      expect(ratios[0]).toMatchObject({ noise: 1, isMet: true });
    });

    it("and stays so, it ends after the allowed attempts, undecided", async () => {
      const base = sideOf("base", 1, ...noisyAttempt, ...noisyAttempt, ...noisyAttempt, 1);
      const { attempts, ratios } = await compare("", base, sideOf("candidate", 1.05), effort, goals);
      expect(attempts).toBe(3);
      expect(ratios[0]).toMatchObject({ noise: 1.2, isMet: null });
    });
  });

  it("is made once where the base agrees with itself", async () => {
    const goals = [{ metric: "p50" as const, atMost: 1.1 }];
    expect((await compare("", sideOf("base", 1), sideOf("candidate", 2), effort, goals)).attempts).toBe(1);
  });

  it("counts warm-up blocks in nothing", async () => {
    const { sides } = await compare("", sideOf("base", 100, 2), sideOf("candidate", 100, 2), effort);
    expect(sides.map(({ block }) => block.p50)).toEqual([2, 2]);
  });

  it("adds up what failed", async () => {
    const { sides } = await compare("", sideOf("base", 2), sideOf("candidate", 2), effort);
    expect(sides.map(({ block }) => block.failures)).toEqual([12, 6]);
  });
});

describe("judge", () => {
  const about = (value: number) => [0.99, 0.995, 1, 1, 1.005, 1.01].map((factor) => factor * value);

  it("a goal is met when the median meets it", () => {
    expect(judge("p50", about(1.09), about(1), { metric: "p50", atMost: 1.1 }).isMet).toBe(true);
    expect(judge("p50", about(1.11), about(1), { metric: "p50", atMost: 1.1 }).isMet).toBe(false);
    expect(judge("requestsPerSecond", about(0.91), about(1), { metric: "p50", atLeast: 0.9 }).isMet).toBe(true);
    expect(judge("requestsPerSecond", about(0.89), about(1), { metric: "p50", atLeast: 0.9 }).isMet).toBe(false);
  });

  it("a noisy machine decides nothing close to the goal", () => {
    expect(judge("p50", about(1.09), about(1.06), { metric: "p50", atMost: 1.1 }).isMet).toBeNull();
    expect(judge("p50", about(1.11), about(0.94), { metric: "p50", atMost: 1.1 }).isMet).toBeNull();
  });

  it("a noisy machine decides what no such noise could turn round", () => {
    expect(judge("requestsPerSecond", about(20), about(1.5), { metric: "p50", atLeast: 5 }).isMet).toBe(true);
    expect(judge("requestsPerSecond", about(1), about(1.5), { metric: "p50", atLeast: 5 }).isMet).toBe(false);
  });

  it("a p99 counts only where the base's own stays within 1.1 of itself", () => {
    expect(judge("p99", about(0.1), about(1.12), { metric: "p99", atMost: 1.2 }).isMet).toBeNull();
    expect(judge("p99", about(1.1), about(1.08), { metric: "p99", atMost: 1.2 }).isMet).toBe(true);
  });

  it("without a goal says nothing", () => {
    expect(judge("p50", about(1), about(1), undefined)).not.toHaveProperty("goal");
    expect(judge("p50", about(1), about(1), undefined).isMet).toBeNull();
  });
});

describe("summarize", () => {
  it("gives the percentiles whatever the order, and what was done in a second", () => {
    const latencies = Array.from({ length: 100 }, (_, at) => 100 - at);
    expect(summarize(latencies, 500)).toEqual({ p50: 50, p95: 95, p99: 99, requestsPerSecond: 200 });
  });
});
