"use client";

import { useEffect, useRef, useState } from "react";

/**
 * Makes one call of one submit. Further submits are ignored while `work` runs, and for good once it has succeeded. After a failure the next
 * submit counts again, but only when that failure is on the screen. The lock is a ref and no state: two clicks can come in one render on a slow
 * machine, and both would read the same state.
 * @param work resolves to whether it has succeeded. It must not reject.
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
