import type { ApiKeySummary } from "latchkey";

/** Differs whenever the list tells that something has happened to the key, so that its events are asked for anew. */
export function versionOf({ name, status, rotatedAt, rotation, effect, creatorLeft }: ApiKeySummary): string {
  return JSON.stringify([name, status, rotatedAt, rotation?.state, rotation?.display, effect?.status, creatorLeft]);
}
