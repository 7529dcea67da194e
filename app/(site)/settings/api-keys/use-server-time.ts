"use client";

import { useSyncExternalStore } from "react";

import { serverNow } from "../../../../trpc/latchkey/server-time";

const everySecond = (onChange: () => void) => {
  const timer = setInterval(onChange, 1_000);
  return () => clearInterval(timer);
};

/**
 * Gives what `read` says of the server's time, and asks it again each second. It gives `unknown` while that time is not known, as while the
 * server renders.
 * @param read returns a primitive, so that a second in which nothing has changed renders nothing.
 */
export function useServerTime<Value extends string | number | boolean | null>(
  read: (now: number) => Value,
  unknown: Value,
): Value {
  const readNow = () => {
    const now = serverNow();
    return now === null ? unknown : read(now);
  };
  return useSyncExternalStore(everySecond, readNow, () => unknown);
}
