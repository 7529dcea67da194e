import { type Content, hashes, purgeIds, type Request, type Slot, type State, type Verifier } from "./state";

const phases = ["idle", "asked", "reading"] as const;
const requestKinds = ["read", "fill", "purge"] as const;
const changerPhases = ["start", "committed", "purging", "done"] as const;

// One buffer for all states: this is most of the work of a search.
const bytes = Buffer.alloc(256);
let length = 0;
let tokensSeen: number[] = [];
/** For each length, the places as they are: most lists are in order. */
const inOrder = Array.from({ length: 9 }, (_, size) => Array.from({ length: size }, (_, at) => at));

/**
 * One short string for all states that behave alike: the order of the verifiers and of the requests, and which number a token has, do not
 * matter. Everything else is in it, so two states with one code have the same future.
 * @param tokensAreNames tokens are only compared with each other, so they are numbered afresh; not so where they count something.
 */
export function encode(state: State, tokensAreNames: boolean): string {
  length = 0;
  tokensSeen = [0];
  for (const hash of hashes) {
    putSlot(state.slots[hash], tokensAreNames);
    putSlot(state.replicaSlots[hash], tokensAreNames);
    put(state.established.names[hash] | (state.epochs[hash] << 4));
  }
  put((state.row.hash === "first" ? 0 : 1) | (state.row.isRevoked ? 2 : 0) | (state.row.name << 2));
  put(
    (state.replicaRow.hash === "first" ? 0 : 1) | (state.replicaRow.isRevoked ? 2 : 0) | (state.replicaRow.name << 2),
  );
  for (const id of purgeIds) put((state.outbox[id].generation << 1) | (state.outbox[id].isQueued ? 1 : 0));
  const { isEffective, isReplaced } = state.established;
  put((isEffective ? 1 : 0) | (isReplaced ? 2 : 0) | (state.duplicatesLeft << 2));
  for (const { phase, seesRevoked, name, attempts } of state.changers) {
    put(changerPhases.indexOf(phase) | (seesRevoked ? 8 : 0) | (name << 4));
    for (const { id, generation, isEchoed } of attempts)
      put((purgeIds.indexOf(id) << 5) | (generation << 2) | (isEchoed ? 2 : 0) | 1);
    put(0);
  }

  const codes = state.verifiers.map(verifierCode);
  const order = sortedByCode(codes);
  for (const at of order) {
    putCode(codes[at]);
    putToken(state.verifiers[at]?.lease ?? null, tokensAreNames);
  }
  const requestCodes = state.requests.map((request) => requestCode(request, order));
  for (const at of sortedByCode(requestCodes)) {
    putCode(requestCodes[at]);
    const request = state.requests[at];
    if (request && request.kind !== "purge") putToken(request.token, tokensAreNames);
  }
  return bytes.toString("latin1", 0, length);
}

function put(byte: number): void {
  bytes[length++] = byte;
}

function putCode(code = 0): void {
  put(code & 255);
  put(code >> 8);
}

function putSlot(slot: Slot, tokensAreNames: boolean): void {
  if (slot.kind === "value") put(8 + slot.name);
  else put(slot.kind === "empty" ? 0 : slot.kind === "tombstone" ? 1 : slot.kind === "bypass" ? 2 : 3);
  if (slot.kind === "lease") putToken(slot.token, tokensAreNames);
}

function putToken(token: number | null, tokensAreNames: boolean): void {
  if (token === null || !tokensAreNames) put(token ?? 255);
  else {
    const known = tokensSeen.indexOf(token);
    put(known < 0 ? tokensSeen.push(token) - 1 : known);
  }
}

/** The places of the codes, lowest code first. */
function sortedByCode(codes: readonly number[]): readonly number[] {
  if (isSorted(codes)) return inOrder[codes.length] ?? [];
  return codes.map((_, at) => at).sort((a, b) => (codes[a] ?? 0) - (codes[b] ?? 0));
}

function isSorted(codes: readonly number[]): boolean {
  for (let at = 1; at < codes.length; at++) if ((codes[at - 1] ?? 0) > (codes[at] ?? 0)) return false;
  return true;
}

function verifierCode(verifier: Verifier): number {
  return (
    phases.indexOf(verifier.phase) |
    (verifier.hash === "first" ? 0 : 4) |
    (verifier.mustRefuse ? 8 : 0) |
    (contentCode(verifier.content) << 4) |
    (verifier.oldestName << 8) |
    ((verifier.remembered === null ? 0 : verifier.remembered + 1) << 12)
  );
}

/** `order`: the verifiers as they were sorted, so that a request names its verifier by its place there. */
function requestCode(request: Request, order: readonly number[]): number {
  const kind = requestKinds.indexOf(request.kind);
  if (request.kind === "purge")
    return kind | (purgeIds.indexOf(request.id) << 2) | ((request.changer === null ? 0 : request.changer + 1) << 4);
  const who = request.kind === "fill" || request.verifier === null ? 0 : order.indexOf(request.verifier) + 1;
  const content = request.kind === "fill" ? contentCode(request.content) : 0;
  return kind | (request.hash === "first" ? 0 : 4) | (content << 3) | (who << 6);
}

function contentCode(content: Content | null): number {
  if (content === null) return 7;
  return content === "unknown" ? 6 : content === "revoked" ? 5 : content;
}
