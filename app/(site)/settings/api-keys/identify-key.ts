import type { ApiKeySummary } from "@/server/api-keys";
import { displaySecret, findSecret } from "@/server/api-keys/token-shape";

export type Identified =
  | { kind: "found"; key: ApiKeySummary }
  /** A whole key with a good checksum, but of none of these. */
  | { kind: "foreign" }
  | { kind: "noKey" };

/** Which of the keys a text holds: a secret, by its checksum and visible characters, or a key as lists show it. In the browser only. */
export function identifyKey(text: string, keys: readonly ApiKeySummary[]): Identified {
  const secret = findSecret(text);
  const shown = secret === null ? text.replaceAll("...", "…") : displaySecret(secret);
  const key = keys.find(({ display }) => (secret === null ? shown.includes(display) : shown === display));
  if (key) return { kind: "found", key };
  return secret === null ? { kind: "noKey" } : { kind: "foreign" };
}
