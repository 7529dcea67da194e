"use client";

import { useEffect, useRef, useState } from "react";

/**
 * One submit is one call, whatever the hand does: further submits are ignored while `work` runs, and for good once it has succeeded.
 * The lock is a ref, because two clicks on a slow machine can come in one render and would both read its state. It opens after a
 * failure, and only when that failure is on the screen.
 * @param work resolves to whether it has succeeded; it must not reject.
 */
export function useOneSubmit<Args extends unknown[]>(work: (...args: Args) => Promise<boolean>) {
  const isLocked = useRef(false);
  const [failures, setFailures] = useState(0);
  useEffect(() => {
    isLocked.current = false;
  }, [failures]);
  return async (...args: Args): Promise<void> => {
    if (isLocked.current) return;
    isLocked.current = true;
    if (!(await work(...args))) setFailures((count) => count + 1);
  };
}
