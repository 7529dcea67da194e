import type { ApiKeySummary } from "latchkey";
import { displaySecret } from "latchkey/shared";
import { findSecrets } from "latchkey/shared";

export type Identified =
  | { kind: "found"; key: ApiKeySummary }
  /** A whole secret with a good checksum, but of none of these keys. */
  | { kind: "foreign" }
  | { kind: "noKey" };

/**
 * Finds the key that a text speaks of. The text may hold the secret or only its display. A secret is known by its checksum, and matched to a key
 * by its display. When the text speaks of several keys, the first of the list counts. The list begins with those that can still be used.
 */
export function identifyKey(text: string, keys: readonly ApiKeySummary[]): Identified {
  const secrets = findSecrets(text);
  const shown = [text.replace(/\.{3,}|[*•]{3,}/g, "…"), ...secrets.map(displaySecret)];
  const key = keys.find(({ display }) => shown.some((part) => part.includes(display)));
  if (key) return { kind: "found", key };
  return { kind: secrets.length > 0 ? "foreign" : "noKey" };
}
