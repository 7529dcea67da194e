import type { ApiKeySummary } from "latchkey";
import { displaySecret } from "latchkey/shared";
import { findSecrets } from "latchkey/shared";

export type Identified =
  /** `secret`: which of the key's secrets the text holds. The others are those of a rotation that is under way. */
  | { kind: "found"; key: ApiKeySummary; secret: "current" | "waiting" | "grace" }
  /** A whole secret with a good checksum, but of none of these keys. */
  | { kind: "foreign" }
  | { kind: "noKey" };

/**
 * Finds the key that a text speaks of. The text may hold the secret or only its display. A secret is known by its checksum, and matched to a key
 * by its display. A key of another system has no checksum, so its beginning and end must stand in one word. When the text speaks of several keys, the first of the list counts. The list begins with those that can still be used.
 */
export function identifyKey(text: string, keys: readonly ApiKeySummary[]): Identified {
  const secrets = findSecrets(text);
  const shown = [text.replace(/\.{3,}|[*•]{3,}/g, "…"), ...secrets.map(displaySecret)];
  const holds = (display: string) => shown.some((part) => part.includes(display)) || holdsImported(text, display);
  for (const key of keys) {
    if (holds(key.display)) return { kind: "found", key, secret: "current" };
    if (key.rotation && holds(key.rotation.display)) return { kind: "found", key, secret: key.rotation.state };
  }
  return { kind: secrets.length > 0 ? "foreign" : "noKey" };
}

/** Fewer known characters than this at the beginning of a key could stand in any word. */
const leastBeginning = 6;

/** Whether the text holds a whole key of another system that is shown like this. Our own keys are known by their checksum alone. */
function holdsImported(text: string, display: string): boolean {
  const [start = "", end = ""] = display.split("…");
  if (start.length < leastBeginning || /_(?:live|test)_[0-9A-Za-z]{4}$/.test(start)) return false;
  const literal = (part: string) => part.replaceAll(".", "\\.");
  return new RegExp(`${literal(start)}[\\w-]{8,256}?${literal(end)}(?![\\w-])`).test(text);
}
