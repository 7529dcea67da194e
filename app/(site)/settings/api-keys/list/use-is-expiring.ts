"use client";

import type { ApiKeySummary } from "latchkey";

import { useServerTime } from "../use-server-time";

const warningMilliseconds = 7 * 86_400_000;

/** Whether an active key expires within a week. False while rendering on the server. */
export function useIsExpiring({ status, expiresAt }: Pick<ApiKeySummary, "status" | "expiresAt">): boolean {
  return useServerTime(
    (now) => status === "active" && expiresAt !== null && expiresAt.getTime() - now < warningMilliseconds,
    false,
  );
}
