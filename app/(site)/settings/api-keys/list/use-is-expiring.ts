"use client";

import { useSyncExternalStore } from "react";

import type { ApiKeySummary } from "@/server/api-keys";
import { serverNow } from "@/trpc/server-time";

const warningMilliseconds = 7 * 86_400_000;

const never = () => () => undefined;

/** Whether an active key expires within a week. False while rendering on the server. */
export function useIsExpiring({ status, expiresAt }: Pick<ApiKeySummary, "status" | "expiresAt">): boolean {
  return useSyncExternalStore(
    never,
    () =>
      status === "active" &&
      expiresAt !== null &&
      expiresAt.getTime() - (serverNow() ?? Date.now()) < warningMilliseconds,
    () => false,
  );
}
