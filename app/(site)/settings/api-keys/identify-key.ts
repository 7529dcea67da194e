import type { ApiKeySummary } from "@/server/keys";
import { displaySecret } from "@/server/shared/secret-format";
import { findSecrets } from "@/server/shared/find-secrets";

export type Identified =
  | { kind: "found"; key: ApiKeySummary }
  /** A whole key with a good checksum, but none of these. */
  | { kind: "foreign" }
  | { kind: "noKey" };

/**
 * Which of the keys a text holds: as a secret, by its checksum and visible characters, or masked as lists show it. Of several the first in the
 * list, where those that can still be used come first. In the browser only.
 */
export function identifyKey(text: string, keys: readonly ApiKeySummary[]): Identified {
  const secrets = findSecrets(text);
  const shown = [text.replace(/\.{3,}|[*•]{3,}/g, "…"), ...secrets.map(displaySecret)];
  const key = keys.find(({ display }) => shown.some((part) => part.includes(display)));
  if (key) return { kind: "found", key };
  return { kind: secrets.length > 0 ? "foreign" : "noKey" };
}
