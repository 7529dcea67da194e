"use client";

import { useQueryClient } from "@tanstack/react-query";

import type { ApiKeyList, ApiKeySummary } from "latchkey";
import { useApiKeys } from "../../../../../trpc/latchkey/client";

/** As much of a key as an answer tells. */
export type ToldKey = Pick<ApiKeySummary, "id"> & Partial<ApiKeySummary>;

/**
 * Puts what the server has said of keys into the list, and asks it for the whole list. So no row looks as before beside the answer, and what is
 * pending is asked for again. A key that is not in the list yet comes with the next answer.
 */
export function useTellList() {
  const { queries } = useApiKeys();
  const queryClient = useQueryClient();
  return (told: readonly ToldKey[]) => {
    // An update tells since when the list is as it is shown, so without news there is none.
    if (told.length > 0) queryClient.setQueryData(queries.list.queryKey, (list) => list && withKeys(list, told));
    void queryClient.invalidateQueries({ queryKey: queries.list.queryKey });
  };
}

function withKeys(list: ApiKeyList, told: readonly ToldKey[]): ApiKeyList {
  const keys = list.keys.map((key) => ({ ...key, ...told.find(({ id }) => id === key.id) }));
  return { ...list, keys, limit: { ...list.limit, used: keys.filter((key) => key.status === "active").length } };
}
