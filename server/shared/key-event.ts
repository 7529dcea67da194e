/** What an owner's history may tell. The list is closed: a page and a program that reads events know every action. */
export const keyEventActions = [
  "key.created",
  "key.renamed",
  "key.rotation_started",
  "key.rotated",
  "key.rotation_cancelled",
  "key.grace_ended",
  "key.revoked",
  "key.revocation_effective",
  "key.expiring",
  "key.exposed",
  "owner.access_changed",
  "owner.closed",
  "owner.reopened",
  "member.left",
] as const;
export type KeyEventAction = (typeof keyEventActions)[number];

/**
 * `user`: somebody who was signed in. `key`: a key, for itself. `operator`: whoever runs the app. `clerk`: the sign-in, which reports what
 * became of an account. `reporter`: who has found a key where it does not belong. `system`: nobody; it came about by itself.
 */
export const actorKinds = ["user", "key", "operator", "clerk", "reporter", "system"] as const;
export type ActorKind = (typeof actorKinds)[number];

export interface Actor {
  kind: ActorKind;
  /** A user's id, or a key's public one. Null where there is none. */
  id: string | null;
  /** The id of who acted as this user. Absent: nobody else did. */
  impersonatedBy?: string;
}

/** What an action adds, in values of JSON. Times are ISO 8601 in UTC. Never a secret, a hash or an e-mail address. */
export type KeyEventDetail = Record<string, string | number | boolean | null>;

/** One act, as the owner sees it. */
export interface KeyEvent {
  /** A UUID of version 7. The order of ids is the order of time. */
  id: string;
  at: Date;
  action: KeyEventAction;
  /** The key's public id. Null for what happened to the owner. */
  keyId: string | null;
  /** The key's name at that time. */
  keyName: string | null;
  actor: Actor;
  detail: KeyEventDetail;
}
