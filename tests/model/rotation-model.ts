import type { Model, Step } from "./search";

// In units of 15 s: the life of a value (60 s), the shortest grace (300 s), and how far the Redis clock may be stepped back (5 s, rounded up).
const valueUnits = 4;
const graceUnits = 20;
const shortGraceUnits = 3;
const marginUnits = 1;

/** What is said of a step that breaks a property of a rotation. */
export const rotationProperties = {
  end: "the old secret is accepted, though the verification started after its end",
  waiting: "the new secret is accepted, though it still waits and the old one has no end",
  cancelled: "the new secret is accepted, though the verification started after it was cancelled",
  moved: "the end of the old secret has moved further away",
  P3: "a secret is refused, though it has neither ended nor been cancelled",
} as const;
type Property = keyof typeof rotationProperties;

/** Each thing that a rotation needs, done otherwise than the real code does, and the property that then falls. */
export const rotationFaults = {
  "waiting-secret-filled": { means: "a secret that waits is filled into its slot", breaks: "waiting" },
  "short-grace": {
    means: "the grace is shorter than the life of a value that was cached without an end, and the purge is lost",
    breaks: "end",
  },
  "end-not-judged": { means: "the end is cached, but a hit does not judge it", breaks: "end" },
  "end-not-cached": { means: "a value of a previous secret carries no end", breaks: "end" },
  "activation-unchecked": {
    means: "the activation does not look again, under the lock, whether the secret still waits",
    breaks: "moved",
  },
  "cancelled-activated": {
    means: "the activation of a secret that was cancelled meanwhile makes it current all the same",
    breaks: "cancelled",
  },
} as const satisfies Record<string, { means: string; breaks: Property }>;
export type RotationFault = keyof typeof rotationFaults;

type SecretName = "old" | "fresh";

/** The value of a slot carries the end as the row had it when it was read. */
type Slot = "empty" | { holder: number; leasedAt: number } | { expiresAt: number; endsAt: number | null };

interface Verifier {
  phase: "idle" | "reading" | "activating" | "filling";
  secret: SecretName;
  /** Whether it started after the end of the old secret, or after the cancellation of the new one. */
  isLate: boolean;
  /** What a fill will store. */
  endsAt: number | null;
}

interface RotationState {
  now: number;
  /** How far the Redis clock is behind. */
  behind: number;
  slots: Readonly<Record<SecretName, Slot>>;
  verifiers: readonly Verifier[];
  row: { phase: "waiting" | "cancelled" } | { phase: "activated"; endsAt: number };
}

const idle: Verifier = { phase: "idle", secret: "old", isLate: false, endsAt: null };

/**
 * A planned rotation: a secret that waits, its activation by the first use, its cancellation, and an end that moves nearer. Mirrors
 * server/keys/verify.ts (`readActivated`), activate.ts and cancel-rotation.ts. The slot is the one of slot-model.ts; here a purge is what an
 * eviction is too, a slot that becomes empty, and every purge may be lost. Time is as in timed-model.ts.
 */
export function createRotationModel(verifiers: number, fault: RotationFault | null): Model<RotationState> {
  const grace = fault === "short-grace" ? shortGraceUnits : graceUnits;
  return {
    initial: {
      now: 0,
      behind: 0,
      slots: { old: "empty", fresh: "empty" },
      verifiers: Array.from({ length: verifiers }, () => idle),
      row: { phase: "waiting" },
    },
    encode: encodeRelative,
    steps(state) {
      const steps = [...surroundings(state)];
      state.verifiers.forEach((verifier, at) => steps.push(...verifierSteps(state, at, verifier)));
      return steps.map(({ label, next, broken }): Step<RotationState> => {
        const judged = broken !== undefined && (fault === null || rotationFaults[fault].breaks === broken);
        return judged ? { label, next, violation: `${broken}: ${rotationProperties[broken]}` } : { label, next };
      });
    },
  };

  function verifierSteps(state: RotationState, at: number, verifier: Verifier): Judged[] {
    const name = `verifier ${String.fromCharCode(65 + at)}`;
    const to = (next: Verifier, rest: Partial<RotationState> = {}): RotationState => ({
      ...state,
      ...rest,
      verifiers: state.verifiers.with(at, next),
    });
    switch (verifier.phase) {
      case "idle":
        return (["old", "fresh"] as const).flatMap((secret) => start(secret));
      case "reading":
        return [{ label: `${name} crashes`, next: to(idle) }, read()];
      case "activating":
        return [{ label: `${name} crashes before its commit`, next: to(idle) }, activate()];
      case "filling":
        return [{ label: `${name}'s fill is lost`, next: to(idle) }, ...fill()];
    }

    function start(secret: SecretName): Judged[] {
      const slot = state.slots[secret];
      const label = `${name} starts to verify the ${secret} secret`;
      const started: Verifier = { ...idle, phase: "reading", secret, isLate: isOver(state, secret) };
      if (slot === "empty") {
        const lease = { holder: at, leasedAt: state.now - state.behind };
        return [
          { label: `${label} and leases its slot`, next: to(started, { slots: { ...state.slots, [secret]: lease } }) },
        ];
      }
      if ("holder" in slot)
        return slot.holder === at ? [] : [{ label: `${label}, without a lease`, next: to(started) }];
      const hasEnded = slot.endsAt !== null && slot.endsAt <= state.now && fault !== "end-not-judged";
      if (hasEnded) return [refused(`${label} and answers from the value: ended`, state, secret)];
      return [accepted(`${label} and answers from the value: valid`, state, started)];
    }

    /** readActivated: the row of a secret that waits leads to its activation, and is never filled. */
    function read(): Judged {
      const { row, now, slots } = state;
      const { secret } = verifier;
      const slot = slots[secret];
      const isLeased = slot !== "empty" && "holder" in slot && slot.holder === at;
      const done = (endsAt: number | null) => to(isLeased ? { ...verifier, phase: "filling", endsAt } : idle);
      if (secret === "fresh") {
        if (row.phase === "cancelled") return refused(`${name} reads the row: cancelled`, to(idle), secret);
        if (row.phase === "waiting" && fault !== "waiting-secret-filled")
          return { label: `${name} reads the row: the secret waits`, next: to({ ...verifier, phase: "activating" }) };
        return accepted(`${name} reads the row and answers: valid`, done(null), verifier);
      }
      const endsAt = row.phase === "activated" ? row.endsAt : null;
      if (endsAt !== null && endsAt <= now) return refused(`${name} reads the row: ended`, done(endsAt), secret);
      const cached = fault === "end-not-cached" ? null : endsAt;
      return accepted(`${name} reads the row and answers: valid`, done(cached), verifier);
    }

    /** activateSecret: one transaction, under the key's lock. Then the row is read again. */
    function activate(): Judged {
      const { row, now } = state;
      const reading: Verifier = { ...verifier, phase: "reading" };
      const mayActivate =
        row.phase === "waiting" ||
        (row.phase === "activated" && fault === "activation-unchecked") ||
        (row.phase === "cancelled" && fault === "cancelled-activated");
      if (!mayActivate)
        return { label: `${name} finds, under the lock, that the secret waits no longer`, next: to(reading) };
      const endsAt = now + grace;
      const next = to(reading, { row: { phase: "activated", endsAt } });
      const label = `${name} commits the activation: the old secret ends at ${endsAt}`;
      const isMoved = row.phase === "activated" && endsAt > row.endsAt;
      return { label, next, ...(isMoved && { broken: "moved" as const }) };
    }

    function fill(): Judged[] {
      const { secret, endsAt } = verifier;
      const slot = state.slots[secret];
      if (slot === "empty" || !("holder" in slot) || slot.holder !== at)
        return [{ label: `${name}'s fill finds its lease gone`, next: to(idle) }];
      const value = { expiresAt: slot.leasedAt + valueUnits, endsAt };
      // A value whose time is over, by the Redis clock, is not kept.
      const next = withoutExpired(to(idle, { slots: { ...state.slots, [secret]: value } }));
      return [{ label: `${name}'s fill of the ${secret} secret is stored`, next }];
    }

    function accepted(label: string, next: RotationState, { secret, isLate }: Verifier): Judged {
      if (secret === "old") return { label, next, ...(isLate && { broken: "end" as const }) };
      // A first use that started before the cancellation may still be answered.
      if (isLate) return { label, next, broken: "cancelled" };
      return { label, next, ...(state.row.phase === "waiting" && { broken: "waiting" as const }) };
    }

    function refused(label: string, next: RotationState, secret: SecretName): Judged {
      return { label, next, ...(!isOver(state, secret) && { broken: "P3" as const }) };
    }
  }
}

interface Judged {
  label: string;
  next: RotationState;
  broken?: Property;
}

/** Whether a verification that starts now has to be refused. A secret that waited and was cancelled may have been activated by a fault. */
function isOver({ row, now }: RotationState, secret: SecretName): boolean {
  if (secret === "fresh") return row.phase === "cancelled";
  return row.phase === "activated" && row.endsAt <= now;
}

/** Time, the Redis clock, the cancellation, and slots that become empty: by expiry, eviction or a purge. */
function surroundings(state: RotationState): Judged[] {
  const now = state.now + 1;
  const steps: Judged[] = [{ label: `it is ${now}`, next: withoutExpired({ ...state, now }) }];
  for (let behind = 0; behind <= marginUnits; behind++)
    if (behind !== state.behind)
      steps.push({
        label: `the Redis clock is set to ${state.now - behind}`,
        next: withoutExpired({ ...state, behind }),
      });
  if (state.row.phase === "waiting")
    steps.push({ label: "the rotation is cancelled", next: { ...state, row: { phase: "cancelled" } } });
  for (const secret of ["old", "fresh"] as const)
    if (state.slots[secret] !== "empty")
      steps.push({ label: `the slot of the ${secret} secret becomes empty`, next: emptied(state, secret) });
  return steps;
}

function emptied(state: RotationState, secret: SecretName): RotationState {
  return { ...state, slots: { ...state.slots, [secret]: "empty" } };
}

function withoutExpired(state: RotationState): RotationState {
  const redisNow = state.now - state.behind;
  const isExpired = (slot: Slot) => slot !== "empty" && "expiresAt" in slot && slot.expiresAt < redisNow;
  const keep = (slot: Slot): Slot => (isExpired(slot) ? "empty" : slot);
  return { ...state, slots: { old: keep(state.slots.old), fresh: keep(state.slots.fresh) } };
}

/** Times as distances from now. What is further back than a value can live after its lease cannot matter any more, and is one. */
function encodeRelative({ now, behind, slots, verifiers, row }: RotationState): string {
  const ago = (time: number | null) => (time === null ? "-" : Math.min(now - time, valueUnits + 2 * marginUnits + 1));
  const slotCode = (slot: Slot) => {
    if (slot === "empty") return "-";
    return "holder" in slot ? `L${slot.holder}:${ago(slot.leasedAt)}` : `V${ago(slot.expiresAt)}:${ago(slot.endsAt)}`;
  };
  const rowCode = row.phase === "activated" ? `A${ago(row.endsAt)}` : row.phase;
  const verifierCodes = verifiers.map(
    ({ phase, secret, isLate, endsAt }) =>
      `${phase}${phase === "idle" ? "" : secret}${isLate ? "!" : ""}${ago(endsAt)}`,
  );
  return [behind, slotCode(slots.old), slotCode(slots.fresh), rowCode, ...verifierCodes].join(" ");
}
