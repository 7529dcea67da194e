import { quantile } from "./statistics";

/** What one side did in one stretch of time. Latencies in milliseconds. */
export interface Block {
  p50: number;
  p95: number;
  p99: number;
  requestsPerSecond: number;
  /** Operations that were rejected: a time budget that ran out, most likely. They count in no other number. */
  failures: number;
}

export type Metric = Exclude<keyof Block, "failures">;

/**
 * Times each call of `operation`; `inFlight` loops call it, each again when its last call has ended, until the time is up.
 * @param settle waits for what the calls have put off; the calls per second count its time too
 */
export async function runBlock(
  operation: () => Promise<unknown>,
  { inFlight, milliseconds, settle }: { inFlight: number; milliseconds: number; settle?: () => Promise<void> },
): Promise<Block> {
  const latencies: number[] = [];
  let failures = 0;
  const startedAt = performance.now();
  async function repeat() {
    for (let before = startedAt; before - startedAt < milliseconds;) {
      before = performance.now();
      await operation().then(
        () => latencies.push(performance.now() - before),
        () => failures++,
      );
    }
  }
  await Promise.all(Array.from({ length: inFlight }, repeat));
  await settle?.();
  return { ...summarize(latencies, performance.now() - startedAt), failures };
}

/** @param elapsed how long all of it took, in milliseconds */
export function summarize(latencies: readonly number[], elapsed: number): Omit<Block, "failures"> {
  const sorted = Float64Array.from(latencies).sort();
  return {
    p50: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    requestsPerSecond: sorted.length / (elapsed / 1_000),
  };
}
