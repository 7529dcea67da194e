"use client";

import { useCallback, useSyncExternalStore } from "react";

import { serverNow } from "@/trpc/server-time";

const everySecond = (onChange: () => void) => {
  const timer = setInterval(onChange, 500);
  return () => clearInterval(timer);
};

/** Whole seconds until a moment of the server's, 0 from then on, counted as a duration (`serverNow`); null while that is unknown. */
export function useSecondsUntil(moment: Date): number | null {
  const read = useCallback(() => {
    const now = serverNow();
    return now === null ? null : Math.max(0, Math.ceil((moment.getTime() - now) / 1_000));
  }, [moment]);
  return useSyncExternalStore(everySecond, read, () => null);
}
