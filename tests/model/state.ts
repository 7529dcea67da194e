/** One state of the model: the slots of a key, its row, the outbox, the requests under way, and the processes that send them. */

/** The two secrets of one key, by their hashes: the first, and the one that a retried create puts in its place. */
export const hashes = ["first", "second"] as const;
export type Hash = (typeof hashes)[number];
type ByHash<T> = Readonly<Record<Hash, T>>;

/** What a database row or a cached value says of a hash: a number is "valid", under the name of that version. */
export type Content = number | "revoked" | "unknown";

/** A slot of server/slot/slot.ts. A lease carries the token that Redis made for it. */
export type Slot =
  | { kind: "empty" }
  | { kind: "lease"; token: number }
  | { kind: "value"; name: number }
  | { kind: "tombstone" }
  | { kind: "bypass" };

interface Row {
  hash: Hash;
  name: number;
  isRevoked: boolean;
}

/** The rows of the outbox: one for each hash and target, as its unique index says. */
export const purgeIds = ["first revoked", "first absent", "second revoked", "second absent"] as const;
export type PurgeId = (typeof purgeIds)[number];
type PurgeTarget = "revoked" | "absent";
export type Outbox = Readonly<Record<PurgeId, { generation: number; isQueued: boolean }>>;

export const purgeId = (hash: Hash, target: PurgeTarget): PurgeId => `${hash} ${target}`;
export const hashOf = (id: PurgeId): Hash => (id.startsWith("first") ? "first" : "second");

/**
 * A request on its way to Redis: delayed as long as it likes, overtaken, lost or duplicated. The number is the process that waits for
 * the answer, null once nobody does.
 */
export type Request =
  | { kind: "read"; hash: Hash; verifier: number | null; token: number | null }
  | { kind: "fill"; hash: Hash; token: number; content: Exclude<Content, "unknown"> }
  | { kind: "purge"; id: PurgeId; changer: number | null };

/** One instance that verifies, over and over. What was established when this verification started is what it is judged by. */
export interface Verifier {
  phase: "idle" | "asked" | "reading";
  hash: Hash;
  mustRefuse: boolean;
  oldestName: number;
  lease: number | null;
  content: Content | null;
  /** Only with an in-process cache, which the real code does not have. */
  remembered: number | null;
}

export interface PurgeAttempt {
  id: PurgeId;
  generation: number;
  isEchoed: boolean;
}

export const changerKinds = ["revoke", "rename", "replace", "drain"] as const;

/** A process that changes the key: revoke.ts, rename.ts, the retry in create.ts; or drain.ts, which repeats their purges. */
export interface Changer {
  kind: (typeof changerKinds)[number];
  phase: "start" | "committed" | "purging" | "done";
  attempts: readonly PurgeAttempt[];
  /** Whether it saw the committed revocation before it read the outbox: only then may it make the revocation effective. */
  seesRevoked: boolean;
  /** The name that a rename committed. */
  name: number;
}

export interface State {
  slots: ByHash<Slot>;
  row: Row;
  outbox: Outbox;
  requests: readonly Request[];
  verifiers: readonly Verifier[];
  changers: readonly Changer[];
  /**
   * What may be answered from now on. It is set by the echo, which comes before any answer and before the record in the
   * database, so the properties are checked from an earlier moment than the one they promise.
   */
  established: { isEffective: boolean; isReplaced: boolean; names: ByHash<number> };
  duplicatesLeft: number;
  /** These three stay as they are unless a fault needs them: a Redis replica, a database replica, an epoch beside each slot. */
  replicaSlots: ByHash<Slot>;
  replicaRow: Row;
  epochs: ByHash<number>;
}

const empty: Slot = { kind: "empty" };

export function initialState(verifiers: number, changers: readonly Changer["kind"][], duplicates: number): State {
  const row: Row = { hash: "first", name: 0, isRevoked: false };
  const unqueued = { generation: 0, isQueued: false };
  return {
    slots: { first: empty, second: empty },
    row,
    outbox: {
      "first revoked": unqueued,
      "first absent": unqueued,
      "second revoked": unqueued,
      "second absent": unqueued,
    },
    requests: [],
    verifiers: Array.from({ length: verifiers }, () => idle(null)),
    changers: changers.map((kind) => ({ kind, phase: "start", attempts: [], seesRevoked: false, name: 0 })),
    established: { isEffective: false, isReplaced: false, names: { first: 0, second: 0 } },
    duplicatesLeft: duplicates,
    replicaSlots: { first: empty, second: empty },
    replicaRow: row,
    epochs: { first: 0, second: 0 },
  };
}

export function idle(remembered: number | null): Verifier {
  return { phase: "idle", hash: "first", mustRefuse: false, oldestName: 0, lease: null, content: null, remembered };
}

/** The token of a lease that nobody holds any more. */
export const nobody = 0;

/**
 * Drops what can change nothing any more, which keeps the search small. Redis never makes a lease twice, so once it is gone its fill
 * is as good as lost, and its verifier can only answer from the row, as it already could from an older row while the lease stood.
 * A lease that nobody holds keeps others from filling, as the bypass does; and what requests without anyone who waits can do to a
 * slot, `slotSteps` does at any moment.
 */
export function withoutDeadLeases(state: State): State {
  let { slots, requests, verifiers } = state;
  if (!requests.every((request) => isOfUse(request, slots)))
    requests = requests.filter((request) => isOfUse(request, slots));
  if (verifiers.some((verifier) => hasDeadLease(verifier, slots)))
    verifiers = verifiers.map((verifier) => {
      if (!hasDeadLease(verifier, slots)) return verifier;
      return verifier.phase === "reading" ? idle(verifier.remembered) : { ...verifier, lease: null };
    });
  for (const hash of hashes) {
    const slot = slots[hash];
    if (slot.kind === "lease" && !isHeld(hash, slot.token, verifiers, requests))
      slots = { ...slots, [hash]: { kind: "bypass" } };
  }
  const isUnchanged = slots === state.slots && requests === state.requests && verifiers === state.verifiers;
  return isUnchanged ? state : { ...state, requests, verifiers, slots };
}

function hasDeadLease({ hash, lease }: Verifier, slots: ByHash<Slot>): boolean {
  return lease !== null && !isStanding(slots, hash, lease);
}

function isHeld(hash: Hash, token: number, verifiers: readonly Verifier[], requests: readonly Request[]): boolean {
  return (
    verifiers.some((verifier) => verifier.lease === token && verifier.hash === hash) ||
    requests.some((request) => request.kind === "fill" && request.token === token && request.hash === hash)
  );
}

function isStanding(slots: ByHash<Slot>, hash: Hash, token: number): boolean {
  const slot = slots[hash];
  return slot.kind === "lease" && slot.token === token;
}

function isOfUse(request: Request, slots: ByHash<Slot>): boolean {
  if (request.kind === "fill") return isStanding(slots, request.hash, request.token);
  return request.kind === "read" ? request.verifier !== null : request.changer !== null;
}
