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
  /** Counts an attempt to send an event, by what came of it. */
  countEvent(result: EventResult): void;
  /** What this process has done since its start. */
  read(): { lastDrainSeconds: number | null; leaksReceived: number };
  /**
   * All metrics in Prometheus's text format.
   * @param backlog what the outbox holds just now. Null: the database cannot be asked.
   * @param events what is still to be sent. Absent: events are sent nowhere.
   */
  render(
    backlog: { count: number; oldestSeconds: number | null } | null,
    events?: { waiting: number; oldestSeconds: number | null; givenUp: number } | null,
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

const eventResults = ["delivered", "failed", "given_up", "refused", "interrupted"] as const;
type EventResult = (typeof eventResults)[number];

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
  // Prometheus sees an increase only of a series that it knows, so without zeros the first leak would raise no alert.
  for (const source of leakSources) for (const outcome of leakOutcomes) leaks.inc({ source, outcome }, 0);
  let lastDrainAt: number | null = null;
  let leaksReceived = 0;
  const events = new Counter({
    name: "latchkey_events_total",
    help: "Attempts to send an event: delivered, failed (it is tried again), given_up, refused (410), interrupted.",
    labelNames: ["result"],
    registers,
  });
  for (const result of eventResults) events.inc({ result }, 0);
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
    noteDrain() {
      const at = now();
      lastDrainAt = at;
      record(() => drained.set(at / 1_000));
    },
    countLeak(source, outcome) {
      leaksReceived += 1;
      record(() => leaks.inc({ source, outcome }));
    },
    countEvent(result) {
      record(() => events.inc({ result }));
    },
    read: () => ({ lastDrainSeconds: lastDrainAt === null ? null : (now() - lastDrainAt) / 1_000, leaksReceived }),
    async render(backlog, toSend) {
      pending.set(backlog ? backlog.count : NaN);
      oldest.set(backlog ? (backlog.oldestSeconds ?? 0) : NaN);
      const none = toSend === null ? NaN : 0;
      waitingEvents.set(toSend?.waiting ?? none);
      oldestEvent.set(toSend?.oldestSeconds ?? none);
      givenUpEvents.set(toSend?.givenUp ?? none);
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
