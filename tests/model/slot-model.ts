import { changerSteps } from "./changer-steps";
import { encode } from "./encode";
import { allowsReduction, type Fault, faults, hasLeases, properties } from "./faults";
import { redisSteps } from "./redis-steps";
import type { Model, Step } from "./search";
import { type Changer, hashes, initialState, purgeId, type State, withoutDeadLeases } from "./state";
import { type Judged, verifierSteps } from "./verifier-steps";

/** How much is searched. Evictions, losses, crashes and verifications are not counted: any number of them may happen. */
export interface Bounds {
  verifiers: number;
  /** Requests to Redis that are under way at once, and somebody waits for. */
  requests: number;
  duplicates: number;
  changers: readonly Changer["kind"][];
}

/**
 * The lease-fenced slot of server/slot/slot.ts with everything that uses it, as a model that `search` can search exhaustively.
 * Left out are expiry, access and scopes, which every hit judges anew, and time: a slot may become empty at any moment. What a
 * guarantee by a moment needs is in timed-model.ts.
 * @param fault one thing that the real code does otherwise; null for the protocol as it is.
 * @param isReduced whether to drop what can change nothing any more. It saves most of the states and hides no violation.
 */
export function createSlotModel(
  bounds: Bounds,
  fault: Fault | null,
  isReduced = fault === null || allowsReduction(fault),
): Model<State> {
  const judged = fault ? [faults[fault].breaks] : Object.keys(properties);
  return {
    initial: initialState(bounds.verifiers, bounds.changers, bounds.duplicates),
    encode: (state) => encode(state, hasLeases(fault)),
    steps(state) {
      const hasRoom = state.requests.length < bounds.requests;
      const steps: Judged[] = redisSteps(state, bounds.requests, fault);
      state.verifiers.forEach((verifier, at) => steps.push(...verifierSteps(state, at, verifier, hasRoom, fault)));
      state.changers.forEach((changer, at) => steps.push(...changerSteps(state, at, changer, bounds.requests, fault)));
      steps.push(...disasters(state, fault));
      return steps.map(({ label, next, breaks }): Step<State> => {
        const normal = isReduced ? withoutDeadLeases(next) : next;
        const broken = breaks ?? (isForgotten(normal) ? "outbox" : undefined);
        if (!broken || !judged.includes(broken)) return { label, next: normal };
        return { label, next: normal, violation: `${broken}: ${properties[broken]}` };
      });
    },
  };
}

/** While a slot holds what the row no longer says, a purge of it must be in the outbox: a crash must not lose it. */
function isForgotten({ slots, row, outbox }: State): boolean {
  return hashes.some((hash) => {
    const slot = slots[hash];
    const isCurrent = slot.kind !== "value" || (row.hash === hash && !row.isRevoked && row.name === slot.name);
    return !isCurrent && !outbox[purgeId(hash, "revoked")].isQueued && !outbox[purgeId(hash, "absent")].isQueued;
  });
}

/** What the database must never do. */
function disasters(state: State, fault: Fault | null): Judged[] {
  const { row } = state;
  const undone = { ...state, row: { ...row, isRevoked: false } };
  if (fault === "lost-commit" && row.isRevoked)
    return [{ label: "the database fails over and has lost the revocation's commit", next: undone }];
  if (fault === "revoked-not-final" && row.isRevoked)
    return [{ label: "a write from before makes the row valid again", next: undone }];
  if (fault === "old-hash-valid-again" && row.hash === "second")
    return [{ label: "the key gets its first hash back", next: { ...state, row: { ...row, hash: "first" } } }];
  return [];
}
