import { properties } from "./faults";
import type { Model, Step } from "./search";

// In units of 5 s, as are all times here: the life of a value (60 s), the guarantee (65 s) and how far the Redis clock may be stepped back.
const valueUnits = 12;
const guaranteeUnits = 13;
const marginUnits = 1;

/** Each thing that the guarantee by a moment needs, done otherwise than the real code does. */
export const timedFaults = {
  "clock-stepped-back": "the Redis clock is stepped back by more than the margin",
  "sliding-expiry": "a value lives 60 s from its write instead of from its lease",
  "promise-from-before-commit": "the 65 s are counted from the beginning of the transaction, not from after its commit",
} as const;
export type TimedFault = keyof typeof timedFaults;

interface Verifier {
  phase: "idle" | "reading" | "filling";
  startedAfterGuarantee: boolean;
}

interface TimedState {
  now: number;
  /** How far the Redis clock is behind. It may be stepped to and fro within the margin, at any time. */
  behind: number;
  slot: "empty" | { holder: number; leasedAt: number } | { expiresAt: number };
  verifiers: readonly Verifier[];
  revocation: { phase: "none" | "begun" | "committed"; begunAt: number } | { phase: "promised"; guaranteedBy: number };
}

/**
 * What remains of the guarantee when every purge is lost: P2, nothing is accepted by a verification that starts after `guaranteedBy`.
 * Mirrors server/slot/slot.ts (a value expires at PXAT lease time + 60 s, by the Redis clock) and effect.ts (the promise is a time
 * read after the commit, + 65 s, by another clock). Time has no end: states that differ only in when they happen are one.
 */
export function createTimedModel(verifiers: number, fault: TimedFault | null): Model<TimedState> {
  const idle: Verifier = { phase: "idle", startedAfterGuarantee: false };
  const furthestBehind = marginUnits + (fault === "clock-stepped-back" ? 1 : 0);
  return {
    initial: {
      now: 0,
      behind: 0,
      slot: "empty",
      verifiers: Array.from({ length: verifiers }, () => idle),
      revocation: { phase: "none", begunAt: 0 },
    },
    encode: (state) => encodeRelative(state, valueUnits + furthestBehind + 1),
    steps(state) {
      const steps = [...clockSteps(state), ...revokerSteps(state)];
      if (state.slot !== "empty") steps.push({ label: "the slot is evicted", next: { ...state, slot: "empty" } });
      state.verifiers.forEach((verifier, at) => steps.push(...verifierSteps(state, at, verifier)));
      return steps;
    },
  };

  function clockSteps(state: TimedState): Step<TimedState>[] {
    const now = state.now + 1;
    const steps: Step<TimedState>[] = [{ label: `it is ${now}`, next: { ...state, now } }];
    for (let behind = 0; behind <= furthestBehind; behind++) {
      const label = `the Redis clock is set to ${state.now - behind}`;
      if (behind !== state.behind) steps.push({ label, next: { ...state, behind } });
    }
    return steps;
  }

  function revokerSteps(state: TimedState): Step<TimedState>[] {
    const { now, revocation } = state;
    switch (revocation.phase) {
      case "none":
        return [{ label: "the revocation begins", next: { ...state, revocation: { phase: "begun", begunAt: now } } }];
      case "begun":
        return [{ label: "it commits", next: { ...state, revocation: { ...revocation, phase: "committed" } } }];
      case "committed": {
        const since = fault === "promise-from-before-commit" ? revocation.begunAt : now;
        const guaranteedBy = since + guaranteeUnits;
        const label = `its purge is lost: pending, guaranteed by ${guaranteedBy}`;
        return [{ label, next: { ...state, revocation: { phase: "promised", guaranteedBy } } }];
      }
      case "promised":
        return [];
    }
  }

  function verifierSteps(state: TimedState, at: number, verifier: Verifier): Step<TimedState>[] {
    const name = `verifier ${String.fromCharCode(65 + at)}`;
    const { slot, revocation, now } = state;
    const redisNow = now - state.behind;
    const to = (next: Verifier, rest: Pick<TimedState, "slot"> = state): TimedState => ({
      ...state,
      ...rest,
      verifiers: state.verifiers.with(at, next),
    });
    const accepted = (isLate: boolean, step: Step<TimedState>) =>
      isLate ? { ...step, violation: `P2: ${properties.P2}` } : step;

    switch (verifier.phase) {
      case "idle": {
        const isLate = revocation.phase === "promised" && now > revocation.guaranteedBy;
        if (slot !== "empty" && "expiresAt" in slot && redisNow <= slot.expiresAt)
          return [accepted(isLate, { label: `${name} starts and answers from the value: valid`, next: state })];
        // Another's lease: it answers from the row, and changes nothing.
        if (slot !== "empty" && "holder" in slot) return [];
        const leased = { slot: { holder: at, leasedAt: redisNow } };
        const next = to({ phase: "reading", startedAfterGuarantee: isLate }, leased);
        return [{ label: `${name} starts and leases the empty slot at ${redisNow} by the Redis clock`, next }];
      }
      case "reading": {
        const isValid = revocation.phase === "none" || revocation.phase === "begun";
        if (!isValid) return [{ label: `${name} reads the row and answers: revoked`, next: to(idle) }];
        const label = `${name} reads the row and answers: valid; its fill is sent`;
        return [accepted(verifier.startedAfterGuarantee, { label, next: to({ ...verifier, phase: "filling" }) })];
      }
      case "filling": {
        if (slot === "empty" || !("holder" in slot) || slot.holder !== at)
          return [{ label: `${name}'s fill finds its lease gone`, next: to(idle) }];
        const expiresAt = (fault === "sliding-expiry" ? redisNow : slot.leasedAt) + valueUnits;
        const label = `${name}'s fill is stored until ${expiresAt} by the Redis clock`;
        return [{ label, next: to(idle, { slot: { expiresAt } }) }];
      }
    }
  }
}

/** Times as distances from now; those further back than `limit` cannot matter any more, and are one. */
function encodeRelative({ now, behind, slot, verifiers, revocation }: TimedState, limit: number): string {
  const ago = (time: number) => Math.min(now - time, limit);
  const slotCode =
    slot === "empty" ? "-" : "holder" in slot ? `L${slot.holder}:${ago(slot.leasedAt)}` : `V${ago(slot.expiresAt)}`;
  const moment = revocation.phase === "promised" ? revocation.guaranteedBy : revocation.begunAt;
  const verifierCodes = verifiers.map(({ phase, startedAfterGuarantee }) => phase + (startedAfterGuarantee ? "!" : ""));
  const moments = revocation.phase === "none" ? "" : Math.min(now - moment, limit + guaranteeUnits);
  return [behind, slotCode, revocation.phase, moments, ...verifierCodes].join(" ");
}
