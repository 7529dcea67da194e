import type { Fault, Property } from "./faults";
import { type Content, hashes, idle, type Request, type State, type Verifier } from "./state";

/** A step, and the property that it breaks. */
export interface Judged {
  label: string;
  next: State;
  breaks?: Property;
}

/**
 * What an instance may do next while it verifies: server/keys/verify.ts. The slot's answer is in redis-steps.ts.
 *
 * The read of the row and the answer from it are one step, since rows only move on and an answer changes nothing for others: any two
 * moments for the two are covered by the earlier one. So is the wait for the read where nothing may be filled.
 */
export function verifierSteps(
  state: State,
  number: number,
  verifier: Verifier,
  hasRoom: boolean,
  fault: Fault | null,
): Judged[] {
  const name = `verifier ${String.fromCharCode(65 + number)}`;
  switch (verifier.phase) {
    case "idle":
      // The second secret leaves the server only after its commit.
      return (state.row.hash === "first" ? (["first"] as const) : hashes).flatMap((hash) => startSteps(hash));
    case "asked": {
      // readSlotOrAsk: after an error or 250 ms the database is asked, and nothing is filled.
      const content = verifier.content ?? rowContent(state, verifier, fault);
      const steps = [
        answered(state, number, content, `${name} waits no longer for Redis and answers from the row`, fault),
      ];
      if (fault === "read-before-lease" && verifier.content === null) {
        const label = `${name} reads the row before Redis has answered: ${inWords(content)}`;
        steps.push({ label, next: withVerifier(state, number, { ...verifier, content }) });
      }
      return steps;
    }
    case "reading":
      return readSteps();
  }

  function startSteps(hash: Verifier["hash"]): Judged[] {
    const { remembered } = verifier;
    const started: Verifier = { ...starting(state, hash), phase: "asked", remembered };
    const begun = withVerifier(state, number, started);
    const label = `${name} starts to verify the ${hash} secret`;
    const steps: Judged[] = [];
    if (remembered !== null && hash === "first")
      steps.push(answered(begun, number, remembered, `${label} and answers from its memory`, fault));
    for (const other of fault === "joined-lookup" ? state.verifiers : [])
      if (other.phase === "reading" && other.hash === hash && other.content !== null)
        steps.push(
          answered(begun, number, other.content, `${label}, joins a lookup whose read was sent and answers`, fault),
        );
    if (hasRoom) {
      const token = fault === "client-made-tokens" ? unusedToken(state) : null;
      const requests = [...state.requests, { kind: "read", hash, verifier: number, token } as const];
      steps.push({ label: `${label}: get-or-lease is sent`, next: { ...begun, requests } });
    }
    return steps;
  }

  /** readRow, on the primary, by a verifier that holds the slot's lease; then deferFill. An unknown hash is not filled. */
  function readSteps(): Judged[] {
    const { hash, lease } = verifier;
    const content = verifier.content ?? rowContent(state, verifier, fault);
    const steps: Judged[] = [{ label: `${name} crashes`, next: withVerifier(state, number, idle(null)) }];
    if (fault === "joined-lookup" && verifier.content === null)
      steps.push({
        label: `the row is on its way to ${name}`,
        next: withVerifier(state, number, { ...verifier, content }),
      });
    const step = answered(state, number, content, `${name} answers from the row`, fault);
    if (lease === null || content === "unknown" || !hasRoom) return [...steps, step];
    const requests = [...step.next.requests, { kind: "fill", hash, token: lease, content } as const];
    return [...steps, { ...step, label: `${step.label}; its fill is sent`, next: { ...step.next, requests } }];
  }
}

/** What this verification will be judged by: whatever was established before it started. */
function starting(state: State, hash: Verifier["hash"]): Verifier {
  const { isEffective, isReplaced, names } = state.established;
  const mustRefuse = isEffective || (isReplaced && hash === "first");
  // A rename purges the hash that the key has; a secret that was replaced before it is purged by its own revocation only.
  const oldestName = hash === "first" ? names.first : Math.max(names.first, names.second);
  return { ...idle(null), hash, mustRefuse, oldestName: mustRefuse ? 0 : oldestName };
}

/** The end of a verification, and whether its answer is one that it may give. Nobody waits for its request any more. */
export function answered(state: State, number: number, content: Content, label: string, fault: Fault | null): Judged {
  const verifier = state.verifiers[number] ?? idle(null);
  const isRemembered = fault === "in-process-cache" && typeof content === "number";
  const next = withVerifier(withoutWaiting(state, number), number, idle(isRemembered ? content : null));
  const breaks = brokenBy(state, verifier, content);
  return { label: `${label}: ${inWords(content)}`, next, ...(breaks && { breaks }) };
}

function brokenBy(state: State, verifier: Verifier, content: Content): Property | null {
  const isValid = state.row.hash === verifier.hash && !state.row.isRevoked;
  if (typeof content !== "number") return isValid ? "P3" : null;
  if (verifier.mustRefuse) return "P1";
  return content < verifier.oldestName ? "stale name" : null;
}

export function rowContent(state: State, verifier: Verifier, fault: Fault | null): Content {
  const row = fault === "lagging-database-replica" ? state.replicaRow : state.row;
  // A secret that was replaced stays known as revoked. The second one is unknown to a replica that lags.
  if (row.hash !== verifier.hash) return verifier.hash === "first" ? "revoked" : "unknown";
  return row.isRevoked ? "revoked" : row.name;
}

function inWords(content: Content): string {
  return typeof content === "number" ? `valid, name ${content}` : content;
}

export function withVerifier(state: State, number: number, verifier: Verifier): State {
  return { ...state, verifiers: state.verifiers.with(number, verifier) };
}

/** Its request stays on its way, but nobody waits for the answer. */
export function withoutWaiting(state: State, number: number): State {
  const isIts = (request: Request) => request.kind === "read" && request.verifier === number;
  if (!state.requests.some(isIts)) return state;
  const requests = state.requests.map((request) => (isIts(request) ? { ...request, verifier: null } : request));
  return { ...state, requests };
}

/** Greater than every token that is in use, so no older lease can be taken for it. */
export function unusedToken(state: State): number {
  let greatest = 0;
  for (const hash of hashes) {
    const slot = state.slots[hash];
    if (slot.kind === "lease") greatest = Math.max(greatest, slot.token);
  }
  for (const { lease } of state.verifiers) greatest = Math.max(greatest, lease ?? 0);
  for (const request of state.requests) if ("token" in request) greatest = Math.max(greatest, request.token ?? 0);
  return greatest + 1;
}
