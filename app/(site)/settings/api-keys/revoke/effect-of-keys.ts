import type { ApiKeyList, Effect } from "latchkey";
import { weakestEffect } from "latchkey/shared";

/**
 * The weakest effect of these keys; null while one of them is not revoked, or the list holds none of them. A list holds every key that is not
 * revoked, but only the last revoked ones: what it does not hold is revoked.
 */
export function effectOfKeys(list: Pick<ApiKeyList, "keys">, ids: readonly string[]): Effect | null {
  const chosen = list.keys.filter((key) => ids.includes(key.id));
  const effects = chosen.flatMap((key) => key.effect ?? []);
  return effects.length === chosen.length ? weakestEffect(effects) : null;
}
