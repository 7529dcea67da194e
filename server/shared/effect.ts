/** How far a revocation has come. `effective` is said only after Redis has confirmed the purge, and then for good. */
export type Effect = { status: "effective"; at: Date } | { status: "pending"; guaranteedBy: Date };

/** The weakest of several: pending before effective, then the later time. Null for none. */
export function weakestEffect(effects: readonly Effect[]): Effect | null {
  const pending = effects.filter((effect) => effect.status === "pending");
  const candidates = pending.length > 0 ? pending : effects;
  const timeOf = (effect: Effect) => (effect.status === "pending" ? effect.guaranteedBy : effect.at).getTime();
  return candidates.toSorted((a, b) => timeOf(b) - timeOf(a))[0] ?? null;
}
