"use client";

import { useServerTime } from "./use-server-time";

/** Whole seconds until a moment of the server's, 0 from then on, counted as a duration (`serverNow`); null while that is unknown. */
export function useSecondsUntil(moment: Date): number | null {
  return useServerTime<number | null>((now) => Math.max(0, Math.ceil((moment.getTime() - now) / 1_000)), null);
}
