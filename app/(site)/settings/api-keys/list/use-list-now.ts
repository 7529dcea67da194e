"use client";

import { useEffect } from "react";

import type { ApiKeyList, ApiKeySummary } from "latchkey";
import { hasEnded, statusOf } from "latchkey/shared";

import { useLatest } from "../use-latest";
import { useServerTime } from "../use-server-time";

/**
 * The list as it is at this second. The gateway refuses a key from its expiry on, and an old secret from the end of its grace on, so the page
 * must not say that they work until the next answer.
 * @param onEnd is called when one of them has ended. It asks the server.
 */
export function useListNow(list: ApiKeyList, onEnd: () => void): ApiKeyList {
  const ended = useServerTime((now) => list.keys.flatMap((key) => endsOf(key, now)).join(), "");
  const ask = useLatest(onEnd);
  useEffect(() => {
    if (ended !== "") ask();
  }, [ended, ask]);
  if (ended === "") return list;
  const keys = list.keys.map((key) => ({
    ...key,
    status: ended.includes(expiryOf(key)) ? "expired" : key.status,
    rotation: ended.includes(graceOf(key)) ? null : key.rotation,
  }));
  const active = keys.filter((key) => key.status === "active");
  const others = keys.filter((key) => key.status !== "active");
  return { ...list, keys: [...active, ...others], limit: { ...list.limit, used: active.length } };
}

const expiryOf = ({ id }: ApiKeySummary) => `expiry ${id}`;
const graceOf = ({ id }: ApiKeySummary) => `grace ${id}`;

/** What has ended by time since the server answered. */
function endsOf(key: ApiKeySummary, now: number): string[] {
  const isExpired = key.status === "active" && statusOf(key, new Date(now)) === "expired";
  // A revoked secret stays in the list until Redis has confirmed it.
  const { rotation } = key;
  const isOver = rotation?.state === "grace" && !rotation.effect && hasEnded(rotation.endsAt.getTime(), now);
  return [...(isExpired ? [expiryOf(key)] : []), ...(isOver ? [graceOf(key)] : [])];
}
