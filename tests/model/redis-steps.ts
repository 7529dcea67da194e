import { echoed } from "./changer-steps";
import { type Fault, hasLeases } from "./faults";
import {
  type Content,
  type Hash,
  hashes,
  hashOf,
  nobody,
  type PurgeId,
  type Request,
  type Slot,
  type State,
} from "./state";
import { answered, type Judged, rowContent, unusedToken, withoutWaiting, withVerifier } from "./verifier-steps";

/** What becomes of requests and slots: server/slot/slot.ts, and what a network and a cache may do. */
export function redisSteps(state: State, maxRequests: number, fault: Fault | null): Judged[] {
  const steps: Judged[] = [];
  state.requests.forEach((request, at) => {
    const delivered = { ...state, requests: state.requests.toSpliced(at, 1) };
    steps.push(...execute(delivered, request, `Redis executes ${describe(request)}`, fault));
    // The duplicate of a fill finds the lease gone; that of a purge is one that nobody waits for.
    if (request.kind !== "read" || state.duplicatesLeft === 0 || state.requests.length >= maxRequests) return;
    const duplicatesLeft = state.duplicatesLeft - 1;
    const next = { ...state, requests: [...state.requests, request], duplicatesLeft };
    steps.push({ label: `duplicated: ${describe(request)}`, next });
  });
  // The second secret's slot is untouched until there is a second secret.
  for (const hash of state.row.hash === "first" ? (["first"] as const) : hashes)
    steps.push(...slotSteps(state, hash, fault));
  if (fault === "stale-redis-replica")
    steps.push({ label: "the Redis replica catches up", next: { ...state, replicaSlots: state.slots } });
  if (fault === "lagging-database-replica")
    steps.push({ label: "the database replica catches up", next: { ...state, replicaRow: state.row } });
  return steps;
}

/**
 * What may happen to a slot at any moment. A bypass (revoke.ts, create.ts) is sent before a commit, best effort, and may arrive whenever
 * it likes; a lease for a verifier that waits no longer has the same effect. A purge may arrive again: from the drain, as a duplicate, or
 * late, when its sender has given up. So requests that nobody waits for need not be kept, and a lost one is one whose sender gives up.
 */
function slotSteps(state: State, hash: Hash, fault: Fault | null): Judged[] {
  const { kind } = state.slots[hash];
  const steps: Judged[] = [];
  const become = (label: string, slot: Slot) =>
    steps.push({ label: `${label} of the ${hash} secret`, next: withSlot(state, hash, slot) });
  if (kind !== "empty") become("expiry or eviction empties the slot", { kind: "empty" });
  if (kind !== "bypass") become("a bypass arrives at the slot", { kind: "bypass" });
  if (kind !== "tombstone" && (state.row.isRevoked || state.row.hash !== hash) && hasLeases(fault))
    become("a purge that nobody waits for arrives at the slot", { kind: "tombstone" });
  if (state.epochs[hash] > 0)
    steps.push({ label: `the epoch of the ${hash} secret is evicted`, next: withEpoch(state, hash, 0) });
  return steps;
}

function execute(state: State, request: Request, label: string, fault: Fault | null): Judged[] {
  switch (request.kind) {
    case "read":
      return executeRead(state, request, label, fault);
    case "fill": {
      const { content, hash } = request;
      const slot: Slot = content === "revoked" ? { kind: "tombstone" } : { kind: "value", name: content };
      if (mayFill(state, request, fault)) return [{ label, next: withSlot(state, hash, slot) }];
      return [{ label: `${label}: refused`, next: state }];
    }
    case "purge": {
      const purged = purge(state, request.id, fault);
      const { changer } = request;
      if (changer === null) return [{ label, next: purged }];
      return [{ label: `${label}, and the echo arrives`, next: echoed(purged, changer, request.id) }];
    }
  }
}

/** getOrLeaseScript, and what verifyApiKey makes of the answer (`interpret`). */
function executeRead(state: State, request: Request & { kind: "read" }, label: string, fault: Fault | null): Judged[] {
  const { hash, verifier: number } = request;
  const verifier = number === null ? undefined : state.verifiers[number];
  const slot = state.slots[hash];
  if (number === null || !verifier) {
    const next = slot.kind === "empty" ? withLease(state, hash, leaseFor(state, request, fault), fault) : state;
    return [{ label: `${label}; nobody waits for the answer`, next }];
  }

  const steps: Judged[] = [];
  const answer = (content: Content, source: string) =>
    steps.push(answered(state, number, content, `${label}; the verifier answers from ${source}`, fault));
  const mayFillBy = (lease: number, leased: State, found: string) => {
    const reading = withVerifier(withoutWaiting(leased, number), number, { ...verifier, lease, phase: "reading" });
    steps.push({ label: `${label}: ${found}, so its verifier may fill`, next: reading });
  };
  const replica = state.replicaSlots[hash];
  if (fault === "stale-redis-replica" && replica.kind === "value") answer(replica.name, "the replica's value");

  if (slot.kind === "value") answer(slot.name, "the value");
  else if (slot.kind === "tombstone") answer("revoked", "the tombstone");
  else if (slot.kind === "empty") {
    const lease = leaseFor(state, request, fault);
    const leased = withLease(state, hash, lease, fault);
    mayFillBy(lease, leased, "empty");
    // An answer that is lost matters only while a duplicate may still bring the lease that bears this verifier's nonce.
    if (state.requests.some((other) => other.kind === "read" && other.verifier === number))
      steps.push({
        label: `${label}: leased, the answer is lost`,
        next: withVerifier(leased, number, { ...verifier, lease }),
      });
  } else if (slot.kind === "lease" && slot.token === verifier.lease)
    mayFillBy(slot.token, state, "leased by its duplicate");
  else if (fault === "unknown-value-accepted") answer(verifier.oldestName, "a value that it does not understand");
  // The bypass or another's lease: nothing may be filled.
  else answer(verifier.content ?? rowContent(state, verifier, fault), "the row");
  return steps;
}

/** The token of the lease that an empty slot gets; for the caches without leases, what their fills go by. */
function leaseFor(state: State, request: Request & { kind: "read" }, fault: Fault | null): number {
  if (fault === "client-made-tokens") return request.token ?? nobody;
  if (fault === "epoch-in-cache") return state.epochs[request.hash];
  if (fault === "set-and-del" || fault === "tombstone-only") return nobody;
  return unusedToken(state);
}

/** fillScript: only if the slot still holds exactly that lease. */
function mayFill(state: State, request: Request & { kind: "fill" }, fault: Fault | null): boolean {
  const slot = state.slots[request.hash];
  if (fault === "set-and-del") return true;
  if (fault === "tombstone-only") return slot.kind !== "tombstone";
  if (fault === "epoch-in-cache") return state.epochs[request.hash] === request.token;
  return slot.kind === "lease" && slot.token === request.token;
}

/** purgeScript: DEL, then the tombstone of a revocation. A full Redis may refuse it, which is as if it were evicted at once. */
function purge(state: State, id: PurgeId, fault: Fault | null): State {
  const hash = hashOf(id);
  const isRevocation = id.endsWith("revoked") && fault !== "set-and-del" && fault !== "epoch-in-cache";
  const purged = withSlot(state, hash, { kind: isRevocation ? "tombstone" : "empty" });
  return fault === "epoch-in-cache" ? withEpoch(purged, hash, state.epochs[hash] + 1) : purged;
}

function withSlot(state: State, hash: Hash, slot: Slot): State {
  return { ...state, slots: { ...state.slots, [hash]: slot } };
}

function withLease(state: State, hash: Hash, token: number, fault: Fault | null): State {
  return hasLeases(fault) ? withSlot(state, hash, { kind: "lease", token }) : state;
}

function withEpoch(state: State, hash: Hash, epoch: number): State {
  return { ...state, epochs: { ...state.epochs, [hash]: epoch } };
}

function describe(request: Request): string {
  switch (request.kind) {
    case "read":
      return `get-or-lease for the ${request.hash} secret`;
    case "fill":
      return `the fill of the ${request.hash} secret's slot (${typeof request.content === "number" ? `valid, name ${request.content}` : "revoked"})`;
    case "purge":
      return `the purge of the ${hashOf(request.id)} secret's slot to ${request.id.endsWith("revoked") ? "revoked" : "absent"}`;
  }
}
