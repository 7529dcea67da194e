import { Counter, Gauge, Histogram, Registry } from "prom-client";

export interface Metrics {
  /** Starts the clock of one verification. Call the returned function with how it ended: accepted, unavailable, or the reason of refusal. */
  startVerification(): (result: string) => void;
  countFill(isStored: boolean): void;
  countPurges(confirmed: readonly boolean[]): void;
  /** A drain has ended, and Redis has confirmed every purge that was due. */
  noteDrain(): void;
  /** A string was reported as a leaked key. Call it once for each, after the commit. */
  countLeak(source: LeakSource, outcome: LeakOutcome): void;
  /** What this process has done since its start. */
  read(): { lastDrainSeconds: number | null; leaksReceived: number };
  /** All metrics in Prometheus's text format. `backlog`: what the outbox holds just now; null: the database cannot be asked. */
  render(
    backlog: { count: number; oldestSeconds: number | null } | null,
  ): Promise<{ text: string; contentType: string }>;
}

/** Who has reported a leaked key, by the words of the history. */
const leakSources = ["github", "web", "report"] as const;
type LeakSource = (typeof leakSources)[number];

/**
 * `revoked`: it was live, and this report has ended it. `reported`: it is live, and reports end nothing here. `dead`: a key of ours that had
 * ended before. `unknown`: no key of ours.
 */
const leakOutcomes = ["revoked", "reported", "dead", "unknown"] as const;
export type LeakOutcome = (typeof leakOutcomes)[number];

/**
 * What an operator needs for alerts: pending purges and their age, the drain, leaks, refusals by reason, the time of a verification, refused fills.
 * @param now the time in milliseconds since 1970.
 */
export function createMetrics(now: () => number = Date.now): Metrics {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  const verifications = new Histogram({
    name: "latchkey_verification_seconds",
    help: "Time of a verification, by its result.",
    labelNames: ["result"],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  });
  const fills = new Counter({
    name: "latchkey_slot_fills_total",
    help: "Fills of a slot; refused ones had lost their lease to a purge, an eviction or time.",
    labelNames: ["result"],
    registers,
  });
  const purges = new Counter({
    name: "latchkey_purges_total",
    help: "Attempts to purge a slot; unconfirmed ones stay in the outbox.",
    labelNames: ["result"],
    registers,
  });
  const pending = new Gauge({ name: "latchkey_pending_purges", help: "Purges in the outbox.", registers });
  const oldest = new Gauge({
    name: "latchkey_oldest_pending_purge_seconds",
    help: "How long the oldest purge in the outbox has waited; 0 when there is none.",
    registers,
  });
  const drained = new Gauge({
    name: "latchkey_drain_last_success_timestamp_seconds",
    help: "When this process last had every due purge confirmed, or found none, in seconds since 1970; 0 when it never has.",
    registers,
  });
  const leaks = new Counter({
    name: "latchkey_leaks_received_total",
    help: "Strings that were reported as leaked keys: revoked, reported (live, and not to be revoked), dead already, or unknown.",
    labelNames: ["source", "outcome"],
    registers,
  });
  // Prometheus sees an increase only of a series that it knows, so without these the first leak would raise no alert.
  for (const source of leakSources) for (const outcome of leakOutcomes) leaks.inc({ source, outcome }, 0);
  let lastDrainAt: number | null = null;
  let leaksReceived = 0;
  return {
    startVerification() {
      const startedAt = performance.now();
      return (result) => {
        const seconds = (performance.now() - startedAt) / 1_000;
        record(() => verifications.observe({ result }, seconds));
      };
    },
    countFill(isStored) {
      record(() => fills.inc({ result: isStored ? "stored" : "refused" }));
    },
    countPurges(confirmed) {
      for (const isConfirmed of confirmed)
        record(() => purges.inc({ result: isConfirmed ? "confirmed" : "unconfirmed" }));
    },
    noteDrain() {
      const at = now();
      lastDrainAt = at;
      record(() => drained.set(at / 1_000));
    },
    countLeak(source, outcome) {
      leaksReceived += 1;
      record(() => leaks.inc({ source, outcome }));
    },
    read: () => ({ lastDrainSeconds: lastDrainAt === null ? null : (now() - lastDrainAt) / 1_000, leaksReceived }),
    async render(backlog) {
      pending.set(backlog ? backlog.count : NaN);
      oldest.set(backlog ? (backlog.oldestSeconds ?? 0) : NaN);
      return { text: await registry.metrics(), contentType: registry.contentType };
    },
  };
}

/** A count that fails must not change an answer. The library throws, for example, when Object.prototype was polluted. */
function record(count: () => void): void {
  try {
    count();
  } catch {
    // Nothing depends on it.
  }
}
