"use client";

import { useCallback, useLayoutEffect, useRef } from "react";

/**
 * Gives a function that never changes and calls `callback` as it was last rendered, for effects. React's own useEffectEvent does this from 19.2
 * on; Next 15 does not have it.
 */
export function useLatest<Args extends unknown[]>(callback: (...args: Args) => void): (...args: Args) => void {
  const latest = useRef(callback);
  useLayoutEffect(() => {
    latest.current = callback;
  });
  return useCallback((...args) => latest.current(...args), []);
}
