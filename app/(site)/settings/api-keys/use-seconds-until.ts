"use client";

import { useServerTime } from "./use-server-time";

/** Whole seconds until a moment of the server's clock, and 0 after it. Null while the server's time is not known. */
export function useSecondsUntil(moment: Date): number | null {
  return useServerTime<number | null>((now) => Math.max(0, Math.ceil((moment.getTime() - now) / 1_000)), null);
}
