import { describe, expect, it } from "vitest";

import { testBounds, unreducedBounds } from "./bounds";
import { type Fault, faults, properties } from "./faults";
import { search, type SearchResult } from "./search";
import { type Bounds, createSlotModel } from "./slot-model";
import { createTimedModel, type TimedFault } from "./timed-model";

// Generous: it bounds a hang on a busy machine, and no result depends on it.
const timeout = 600_000;

function report(name: string, { states, transitions, depth }: SearchResult): void {
  console.log(`${name}: ${states} states, ${transitions} transitions, depth ${depth}`);
}
const nameOf = ({ verifiers, requests, duplicates, changers }: Bounds) =>
  `${verifiers} verifiers, ${requests} requests, ${duplicates} duplicates, ${changers.join(" + ")}`;

describe("every state that the slot's protocol can reach", () => {
  it.each(testBounds.map((bounds) => [nameOf(bounds), bounds] as const))(
    "accepts nothing revoked, refuses nothing valid, answers no stale name and forgets no purge: %s",
    { timeout },
    (name, bounds) => {
      const result = search(createSlotModel(bounds, null));
      report(name, result);
      expect(result.counterexample).toBeNull();
      // Fewer would mean that a process never got to act.
      expect(result.states).toBeGreaterThan(20_000);
    },
  );

  it.each(unreducedBounds.map((bounds) => [nameOf(bounds), bounds] as const))(
    "holds without the reduction as well: %s",
    { timeout },
    (name, bounds) => {
      const whole = search(createSlotModel(bounds, null, false));
      const reduced = search(createSlotModel(bounds, null));
      report(`${name}, not reduced`, whole);
      expect(whole.counterexample).toBeNull();
      expect(whole.states).toBeGreaterThan(reduced.states);
    },
  );

  it("accepts nothing after the guaranteed moment when every purge is lost", { timeout }, () => {
    const result = search(createTimedModel(2, null));
    report("2 verifiers, with time", result);
    expect(result.counterexample).toBeNull();
    expect(result.states).toBeGreaterThan(20_000);
  });
});

/** The length of a shortest counterexample, by what is not as the proof needs it. */
const shortest: Record<Fault, number> = {
  "stale-redis-replica": 9,
  "client-made-tokens": 11,
  "lagging-database-replica": 4,
  "read-before-lease": 10,
  "effective-without-echo": 7,
  "joined-lookup": 6,
  "in-process-cache": 5,
  "unknown-value-accepted": 5,
  "revoked-not-final": 5,
  "lost-commit": 5,
  "set-and-del": 8,
  "tombstone-only": 9,
  "epoch-in-cache": 9,
  "newest-hash-only": 9,
  "old-hash-valid-again": 5,
  "outbox-row-deleted-by-hash": 8,
  "enqueued-after-commit": 5,
};
const shortestTimed: Record<TimedFault, number> = {
  "clock-stepped-back": 22,
  "sliding-expiry": 21,
  "promise-from-before-commit": 21,
};

describe("the model finds what goes wrong", () => {
  it.each(Object.entries(shortest) as [Fault, number][])("with %s, after %i steps", { timeout }, (fault, length) => {
    const { breaks, changers } = faults[fault];
    const bounds: Bounds = { verifiers: 2, requests: 3, duplicates: 1, changers };
    const { counterexample } = search(createSlotModel(bounds, fault));
    expect(counterexample?.violation).toBe(`${breaks}: ${properties[breaks]}`);
    expect(counterexample?.steps).toHaveLength(length);
    // Nothing but the fault is to blame.
    expect(search(createSlotModel(bounds, null)).counterexample).toBeNull();
  });

  it.each(Object.entries(shortestTimed) as [TimedFault, number][])(
    "with %s, after %i steps",
    { timeout },
    (fault, length) => {
      const { counterexample } = search(createTimedModel(1, fault));
      expect(counterexample?.violation).toBe(`P2: ${properties.P2}`);
      expect(counterexample?.steps).toHaveLength(length);
    },
  );
});
