import { describe, expect, it } from "vitest";

import { createRotationModel, type RotationFault, rotationFaults, rotationProperties } from "./rotation-model";
import { search } from "./search";

// Generous: it bounds a hang on a busy machine, and no result depends on it.
const timeout = 600_000;

describe("every state that a rotation can reach", () => {
  it("ends the old secret in time, accepts no secret that waits, and refuses none that lives", { timeout }, () => {
    const { counterexample, states, transitions, depth } = search(createRotationModel(2, null));
    console.log(`2 verifiers, a rotation: ${states} states, ${transitions} transitions, depth ${depth}`);
    expect(counterexample).toBeNull();
    expect(states).toBeGreaterThan(20_000);
  });
});

/** The length of a shortest counterexample, by what is not as a rotation needs it. */
const shortest: Record<RotationFault, number> = {
  "waiting-secret-filled": 2,
  "short-grace": 10,
  "end-not-judged": 27,
  "end-not-cached": 27,
  "activation-unchecked": 7,
  "cancelled-activated": 6,
};

describe("the model of a rotation finds what goes wrong", () => {
  it.each(Object.entries(shortest) as [RotationFault, number][])(
    "with %s, after %i steps",
    { timeout },
    (fault, length) => {
      const { counterexample } = search(createRotationModel(2, fault));
      const { breaks } = rotationFaults[fault];
      expect(counterexample?.violation).toBe(`${breaks}: ${rotationProperties[breaks]}`);
      expect(counterexample?.steps).toHaveLength(length);
    },
  );
});
