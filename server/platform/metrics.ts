import { Counter, Gauge, Histogram, Registry } from "prom-client";

export interface Metrics {
  /** Starts the clock of one verification. Call the returned function with how it ended: accepted, unavailable, or the reason of refusal. */
  startVerification(): (result: string) => void;
  countFill(isStored: boolean): void;
  countPurges(confirmed: readonly boolean[]): void;
  /** Counts an attempt to send an event, by what came of it. */
  countEvent(result: string): void;
  /**
   * All metrics in Prometheus's text format.
   * @param backlog what the outbox holds just now.
   * @param events what is still to be sent. Absent: events are sent nowhere. Null: the database cannot be asked.
   */
  render(
    backlog: { count: number; oldestSeconds: number | null },
    events?: { waiting: number; oldestSeconds: number | null; givenUp: number } | null,
  ): Promise<{ text: string; contentType: string }>;
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
  const events = new Counter({
    name: "latchkey_events_total",
    help: "Attempts to send an event: delivered, failed (it is tried again), given_up, refused (410), interrupted.",
    labelNames: ["result"],
    registers,
  });
  const waitingEvents = new Gauge({
    name: "latchkey_pending_events",
    help: "Events to be sent, at most 10000.",
    registers,
  });
  const oldestEvent = new Gauge({
    name: "latchkey_oldest_pending_event_seconds",
    help: "How long the oldest event has waited to be sent; 0 when there is none.",
    registers,
  });
  const givenUpEvents = new Gauge({
    name: "latchkey_given_up_events",
    help: "Events in the history that were given up after 3 days, at most 10000.",
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
    countEvent(result) {
      record(() => events.inc({ result }));
    },
    async render({ count, oldestSeconds }, toSend = { waiting: 0, oldestSeconds: null, givenUp: 0 }) {
      pending.set(count);
      oldest.set(oldestSeconds ?? 0);
      waitingEvents.set(toSend ? toSend.waiting : NaN);
      oldestEvent.set(toSend ? (toSend.oldestSeconds ?? 0) : NaN);
      givenUpEvents.set(toSend ? toSend.givenUp : NaN);
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
