/**
 * How far a revocation has come. `effective`: no verification that starts after `at` accepts the key. It is said only after Redis has
 * confirmed the purge, and it stays. `pending`: none that starts after `guaranteedBy` accepts it. Times are of the database's clock.
 */
export type Effect = { status: "effective"; at: Date } | { status: "pending"; guaranteedBy: Date };

/** The weakest of several effects: a pending one before an effective one, then the one with the later time. Null when there is none. */
export function weakestEffect(effects: readonly Effect[]): Effect | null {
  const pending = effects.filter((effect) => effect.status === "pending");
  const candidates = pending.length > 0 ? pending : effects;
  const timeOf = (effect: Effect) => (effect.status === "pending" ? effect.guaranteedBy : effect.at).getTime();
  return candidates.toSorted((a, b) => timeOf(b) - timeOf(a))[0] ?? null;
}
