import { Counter, Gauge, Histogram, Registry } from "prom-client";

export interface Metrics {
  /** Starts the clock of one verification. Call the returned function with how it ended: accepted, unavailable, or the reason of refusal. */
  startVerification(): (result: string) => void;
  countFill(isStored: boolean): void;
  countPurges(confirmed: readonly boolean[]): void;
  /** All metrics in Prometheus's text format. `backlog`: what the outbox holds just now. */
  render(backlog: { count: number; oldestSeconds: number | null }): Promise<{ text: string; contentType: string }>;
}

/** What an operator needs for alerts: pending purges and their age, refusals by reason, the time of a verification, refused fills. */
export function createMetrics(): Metrics {
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
    async render({ count, oldestSeconds }) {
      pending.set(count);
      oldest.set(oldestSeconds ?? 0);
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
