"use client";

import { useEffect } from "react";

import type { ApiKeyList } from "latchkey";
import { statusOf } from "latchkey/shared";

import { useLatest } from "../use-latest";
import { useServerTime } from "../use-server-time";

/**
 * The list as it is at this second. The gateway refuses a key from its expiry on, so the page must not call it active until the next answer.
 * @param onEnd is called when a key has expired. It asks the server.
 */
export function useListNow(list: ApiKeyList, onEnd: () => void): ApiKeyList {
  const ended = useServerTime(
    (now) =>
      list.keys
        .filter((key) => key.status === "active" && statusOf(key, new Date(now)) === "expired")
        .map((key) => key.id)
        .join(),
    "",
  );
  const ask = useLatest(onEnd);
  useEffect(() => {
    if (ended !== "") ask();
  }, [ended, ask]);
  if (ended === "") return list;
  const keys = list.keys.map((key) => (ended.includes(key.id) ? { ...key, status: "expired" as const } : key));
  const active = keys.filter((key) => key.status === "active");
  const others = keys.filter((key) => key.status !== "active");
  return { ...list, keys: [...active, ...others], limit: { ...list.limit, used: active.length } };
}
