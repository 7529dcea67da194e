import type { Fault } from "./faults";
import {
  type Changer,
  hashOf,
  type Outbox,
  type PurgeAttempt,
  type PurgeId,
  purgeId,
  purgeIds,
  type State,
} from "./state";

interface ChangerStep {
  label: string;
  next: State;
}

const names = { revoke: "the revoker", rename: "the renamer", replace: "the retried create", drain: "the drain" };

/** What a process that changes the key may do next, or the drain: revoke.ts, rename.ts, create.ts (`replaceSecret`), purges/drain.ts. */
export function changerSteps(
  state: State,
  number: number,
  changer: Changer,
  maxRequests: number,
  fault: Fault | null,
): ChangerStep[] {
  const who = names[changer.kind];
  switch (changer.phase) {
    case "start":
      return changer.kind === "drain" ? readOutbox() : [...commit(), failToCommit()];
    case "committed":
      return [...send(state, changer), giveUp()];
    case "purging":
      return [...record(), giveUp()];
    case "done":
      return [];
  }

  function commit(): ChangerStep[] {
    const { row } = state;
    switch (changer.kind) {
      case "revoke": {
        // commitRevocation: the hash as it is under the lock, and every queued revocation of the key.
        const outbox = enqueued(state.outbox, purgeId(row.hash, "revoked"));
        const all = queued(outbox).filter(({ id }) => id.endsWith("revoked"));
        const attempts = fault === "newest-hash-only" ? all.filter(({ id }) => hashOf(id) === row.hash) : all;
        return [committed("revoked", { row: { ...row, isRevoked: true }, outbox }, { attempts, seesRevoked: true })];
      }
      case "rename": {
        const name = row.name + 1;
        const id = purgeId(row.hash, "absent");
        const outbox = enqueued(state.outbox, id);
        return [committed(`name ${name}`, { row: { ...row, name }, outbox }, { attempts: queued(outbox, id), name })];
      }
      case "replace": {
        // Only of a key that is not revoked, as seen under the lock. Whether it was ever verified is not relied on.
        if (row.isRevoked || row.hash === "second") return [];
        const outbox = enqueued(state.outbox, "first revoked");
        const attempts = queued(outbox, "first revoked");
        return [
          committed("the second secret replaces the first", { row: { ...row, hash: "second" }, outbox }, { attempts }),
        ];
      }
      case "drain":
        return [];
    }
  }

  /** The row and the outbox change together. The purges leave at once: a delay before they are sent is a delay on their way. */
  function committed(what: string, change: Pick<State, "row" | "outbox">, progress: Partial<Changer>): ChangerStep {
    const label = `${who} commits: ${what}`;
    const waiting: Changer = { ...changer, ...progress, phase: "committed" };
    if (fault === "enqueued-after-commit")
      return { label, next: withChanger({ ...state, row: change.row }, number, waiting) };
    const next = withChanger({ ...state, ...change }, number, waiting);
    const [sent] = send(next, waiting);
    return sent ? { label: `${label}; ${sent.label}`, next: sent.next } : { label, next };
  }

  function failToCommit(): ChangerStep {
    return { label: `${who}'s commit fails, or it crashes: nothing is changed`, next: ended(state) };
  }

  /** settlePurges: all of them in one Redis request; here each on its own way, which allows more. */
  function send(from: State, sender: Changer): ChangerStep[] {
    const purges = sender.attempts.map(({ id }) => ({ kind: "purge", id, changer: number }) as const);
    const requests = [...from.requests, ...purges];
    if (requests.length > maxRequests) return [];
    const outbox = fault === "enqueued-after-commit" ? enqueuedLate(from.outbox, sender.attempts) : from.outbox;
    const sending: Changer = { ...sender, phase: "purging" };
    const sent = withChanger({ ...from, outbox, requests }, number, sending);
    const next = fault === "effective-without-echo" ? established(sent, sending) : sent;
    return [{ label: `${who} sends its purges (${sender.attempts.map(({ id }) => id).join(", ")})`, next }];
  }

  /** recordConfirmed: one statement, which deletes what was confirmed from the outbox. */
  function record(): ChangerStep[] {
    if (!changer.attempts.some(({ isEchoed }) => isEchoed)) return [];
    const outbox = withoutConfirmed(state.outbox, changer.attempts, fault);
    return [{ label: `${who} deletes the confirmed purges from the outbox`, next: ended({ ...state, outbox }) }];
  }

  /** drainPurges: everything that is queued for the key, and whether it is revoked, in one snapshot. */
  function readOutbox(): ChangerStep[] {
    const attempts = queued(state.outbox);
    if (attempts.length === 0) return [];
    const [sent] = send(state, { ...changer, attempts, seesRevoked: state.row.isRevoked });
    return sent ? [{ label: `the drain reads the outbox; ${sent.label}`, next: sent.next }] : [];
  }

  function giveUp(): ChangerStep {
    return { label: `${who} crashes, or gets no answer`, next: ended(state) };
  }

  /** The end of a change; the drain begins again. Its purges may still arrive, but nobody waits for their echoes. */
  function ended(rest: State): State {
    const requests = rest.requests.map((request) =>
      request.kind === "purge" && request.changer === number ? { ...request, changer: null } : request,
    );
    const phase = changer.kind === "drain" ? "start" : "done";
    return withChanger({ ...rest, requests }, number, { ...changer, phase, attempts: [], seesRevoked: false, name: 0 });
  }
}

/** An echo has arrived. Once all have, the change holds: a verification that starts now must not see what was before it. */
export function echoed(state: State, number: number, id: PurgeId): State {
  const changer = state.changers[number];
  if (!changer) return state;
  const attempts = changer.attempts.map((attempt) => (attempt.id === id ? { ...attempt, isEchoed: true } : attempt));
  const next = withChanger(state, number, { ...changer, attempts });
  return attempts.every(({ isEchoed }) => isEchoed) ? established(next, changer) : next;
}

function established(state: State, { kind, seesRevoked, attempts, name }: Changer): State {
  const before = state.established;
  const oldestNames = { ...before.names };
  if (kind === "rename")
    for (const { id } of attempts) oldestNames[hashOf(id)] = Math.max(oldestNames[hashOf(id)], name);
  const isEffective = before.isEffective || seesRevoked;
  const isReplaced = before.isReplaced || kind === "replace";
  return { ...state, established: { isEffective, isReplaced, names: oldestNames } };
}

/** enqueuePurge: a new row, or the same one with its generation raised. */
function enqueued(outbox: Outbox, id: PurgeId): Outbox {
  return { ...outbox, [id]: { generation: outbox[id].generation + 1, isQueued: true } };
}

function enqueuedLate(outbox: Outbox, attempts: readonly PurgeAttempt[]): Outbox {
  return {
    ...outbox,
    ...Object.fromEntries(attempts.map(({ id, generation }) => [id, { generation, isQueued: true }])),
  };
}

function queued(outbox: Outbox, ...ids: PurgeId[]): PurgeAttempt[] {
  return (ids.length > 0 ? ids : purgeIds)
    .filter((id) => outbox[id].isQueued)
    .map((id) => ({ id, generation: outbox[id].generation, isEchoed: false }));
}

/** Only the generation that was purged: one that was asked for again since then stays. */
function withoutConfirmed(outbox: Outbox, attempts: readonly PurgeAttempt[], fault: Fault | null): Outbox {
  const next = { ...outbox };
  for (const { id, generation, isEchoed } of attempts) {
    const isMeant = outbox[id].generation === generation || fault === "outbox-row-deleted-by-hash";
    if (isEchoed && isMeant) next[id] = { ...outbox[id], isQueued: false };
  }
  return next;
}

function withChanger(state: State, number: number, changer: Changer): State {
  return { ...state, changers: state.changers.with(number, changer) };
}
