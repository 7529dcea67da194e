import type { Bounds } from "./slot-model";

/** Searched by `npm test`. The first: a revocation, a rename that purges to absent and a retried create that replaces the hash, all at once. */
export const testBounds: readonly Bounds[] = [
  { verifiers: 2, requests: 3, duplicates: 1, changers: ["revoke", "rename", "replace"] },
  // The drain repeats the outbox, and it too may make a revocation effective.
  { verifiers: 2, requests: 3, duplicates: 1, changers: ["revoke", "revoke", "drain"] },
  { verifiers: 2, requests: 3, duplicates: 1, changers: ["rename", "rename", "drain"] },
];

/** Searched by `npm test` without the reduction too, which takes some 15 times as many states. */
export const unreducedBounds: readonly Bounds[] = [
  { verifiers: 2, requests: 2, duplicates: 1, changers: ["revoke", "rename"] },
  { verifiers: 2, requests: 2, duplicates: 1, changers: ["replace"] },
  { verifiers: 2, requests: 2, duplicates: 1, changers: ["revoke", "drain"] },
];

/** Searched by `npm run test:model`. */
export const wideBounds: readonly Bounds[] = [
  { verifiers: 3, requests: 3, duplicates: 1, changers: ["revoke", "rename"] },
  { verifiers: 3, requests: 3, duplicates: 1, changers: ["revoke", "replace"] },
  { verifiers: 2, requests: 4, duplicates: 2, changers: ["revoke", "replace"] },
  { verifiers: 2, requests: 3, duplicates: 1, changers: ["revoke", "replace", "drain"] },
  { verifiers: 2, requests: 3, duplicates: 1, changers: ["revoke", "revoke", "replace"] },
  { verifiers: 2, requests: 2, duplicates: 1, changers: ["revoke", "rename", "replace", "drain"] },
];
