import type { Actor } from "../shared/key-event";

/** A person, as the session tells. */
interface Person {
  userId: string;
  /** Who acts as this person. Null: nobody else does. */
  impersonatedBy: string | null;
}

export function byUser({ userId, impersonatedBy }: Person): Actor {
  if (impersonatedBy === null) return { kind: "user", id: userId };
  // An actor without an id counts as well.
  return { kind: "user", id: userId, impersonatedBy: impersonatedBy || "unknown" };
}

/** @param keyId the key's public id. */
export const byKey = (keyId: string): Actor => ({ kind: "key", id: keyId });
export const byOperator: Actor = { kind: "operator", id: null };
export const byClerk: Actor = { kind: "clerk", id: null };
/** Who has found a key. @param id `github`, or null for somebody of whom nothing is known. */
export const byReporter = (id: "github" | null): Actor => ({ kind: "reporter", id });
export const bySystem: Actor = { kind: "system", id: null };
