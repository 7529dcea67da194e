import type { Changer } from "./state";

/** What is said of a step that breaks a property: P1 to P3, the same for a rename, and that a crash loses no purge. */
export const properties = {
  P1: "accepted, though it started after the revocation of the key, or of the replaced secret, was effective",
  P2: "accepted, though it started after the guaranteed moment",
  P3: "refused, though no revocation of this secret is committed",
  "stale name": "answered with the old name, though it started after the purge of the rename was confirmed",
  outbox: "a slot holds what the database no longer says, and no purge of it is queued",
} as const;
export type Property = keyof typeof properties;

interface FaultDescription {
  means: string;
  breaks: Property;
  /** The changes that a counterexample needs. */
  changers: readonly Changer["kind"][];
}

/** Each thing that the proof needs, switched off, and well-known caches that do without it; with the property that then falls. */
export const faults = {
  "stale-redis-replica": p1("reads that accept may be answered by a Redis replica that lags"),
  "client-made-tokens": p1("the client makes the lease's token, so a duplicated read places an old lease again"),
  "lagging-database-replica": p1("the miss read goes to a database replica that lags"),
  "read-before-lease": p1("the miss read may start before the slot has answered"),
  "effective-without-echo": p1("a purge counts as confirmed when it was sent and nothing was thrown"),
  "joined-lookup": p1("a verification joins a lookup whose read was already sent (single flight)"),
  "in-process-cache": p1("a process remembers that it accepted a secret"),
  "unknown-value-accepted": p1("a slot whose value is not understood is taken for a valid key"),
  "revoked-not-final": p1("a later write can make a revoked row valid again"),
  "lost-commit": p1("a fail-over of the database loses an acknowledged commit"),
  "set-and-del": p1("a plain cache: a miss is followed by SET, a revocation by DEL"),
  "tombstone-only": p1("a revocation leaves a tombstone that forbids fills, and no lease has to stand"),
  "epoch-in-cache": p1("fills are fenced by an epoch that each purge raises, kept in the cache"),
  "newest-hash-only": { ...p1("a revocation purges only the key's newest hash"), changers: ["replace", "revoke"] },
  "old-hash-valid-again": { ...p1("a replaced hash can become the key's hash again"), changers: ["replace"] },
  "outbox-row-deleted-by-hash": {
    means: "a confirmed purge deletes its outbox row whatever its generation",
    breaks: "outbox",
    changers: ["rename", "rename"],
  },
  "enqueued-after-commit": {
    means: "the outbox row is written after the commit, not in its transaction",
    breaks: "outbox",
    changers: ["revoke"],
  },
} as const satisfies Record<string, FaultDescription>;
export type Fault = keyof typeof faults;

function p1(means: string) {
  return { means, breaks: "P1", changers: ["revoke"] } as const satisfies FaultDescription;
}

/** The naive caches have none: their fills go by something else. */
export function hasLeases(fault: Fault | null): boolean {
  return fault !== "set-and-del" && fault !== "tombstone-only" && fault !== "epoch-in-cache";
}

/** Not where old leases come back, or a verification without a lease is still of use to another. */
export function allowsReduction(fault: Fault): boolean {
  return hasLeases(fault) && fault !== "client-made-tokens" && fault !== "joined-lookup";
}
