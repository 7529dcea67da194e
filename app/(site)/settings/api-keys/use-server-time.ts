"use client";

import { useSyncExternalStore } from "react";

import { serverNow } from "@/trpc/server-time";

const everySecond = (onChange: () => void) => {
  const timer = setInterval(onChange, 1_000);
  return () => clearInterval(timer);
};

/**
 * What `read` says of the server's time, judged again each second; `unknown` while that time is not known, as on the server itself.
 * @param read gives a primitive, so that a second in which nothing has changed renders nothing.
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
