"use client";

import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";

import type { ApiKeyList } from "latchkey";
import { useApiKeys } from "../../../../../trpc/latchkey/client";
import { noteRenderTime, serverNow } from "../../../../../trpc/latchkey/server-time";

import { useLatest } from "../use-latest";
import { onReturn } from "./on-return";
import { shareChanges } from "./other-tabs";

/** How often the server is asked while a revocation is pending. The receipt and the rows follow the same answer. */
const pendingPollMilliseconds = 2_000;
/** How often it is asked while a key is being rotated: somebody waits to see the first use of the new secret, and the last one of the old. */
const rotationPollMilliseconds = 5_000;
/** A page older than this does not come from the server. Something between here and the server has kept it. */
const freshMilliseconds = 10_000;

/** The pages that this document has shown, by the time at which the server made them. On "back" the router shows one again, unchanged. */
const shown = new Set<number>();

/** Whether the server has answered since the person came to the page: it has, it is being asked, or it could not be asked. */
export type Standing = "checked" | "checking" | "unchecked";

/**
 * The list, and whether the server has answered since the person came to this page. A page can come back in many ways: "back", the
 * browser's page cache, another tab, a laptop that slept. A key may have been revoked in the meantime. So nothing here may be called active
 * until the server has answered.
 * @param renderedAt when the server made this page, by its own clock, in milliseconds since 1970.
 */
export function useVisitedList(renderedAt: number) {
  const { queries } = useApiKeys();
  const queryClient = useQueryClient();
  const list = useSuspenseQuery({
    ...queries.list,
    // `onReturn` asks, for more ways of coming back.
    refetchOnWindowFocus: false,
    refetchInterval: ({ state }) => pollMilliseconds(state.data),
  });
  const [isChecked, setChecked] = useState(() => !isOld(renderedAt));
  const updatesBefore = useRef(0);
  const query = () => queryClient.getQueryCache().find({ queryKey: queries.list.queryKey, exact: true });

  /** An answer that is still on its way may be too old, so `refetch` drops it. */
  const askAnew = () => {
    updatesBefore.current = query()?.state.dataUpdateCount ?? 0;
    void list.refetch();
  };
  // Before the effects in which each time on the page looks at the clock.
  useLayoutEffect(() => noteRenderTime(renderedAt), [renderedAt]);
  const arrive = useLatest(() => {
    shown.add(renderedAt);
    if (!isChecked) askAnew();
  });
  useEffect(() => arrive(), [arrive]);

  const comeBack = useLatest(() => {
    // Rendered at once, since the browser may paint before React renders by itself.
    flushSync(() => setChecked(false));
    askAnew();
  });
  useEffect(() => onReturn(comeBack), [comeBack]);
  useEffect(() => shareChanges(queryClient, comeBack), [queryClient, comeBack]);

  const noteAnswer = useLatest((key: unknown, isManual: boolean) => {
    const current = query();
    if (current && key === current.queryHash && !isManual && current.state.dataUpdateCount > updatesBefore.current)
      setChecked(true);
  });
  useEffect(
    () =>
      queryClient.getQueryCache().subscribe((event) => {
        if (event.type === "updated" && event.action.type === "success")
          noteAnswer(event.query.queryHash, event.action.manual ?? false);
      }),
    [queryClient, noteAnswer],
  );
  const standing: Standing = isChecked ? "checked" : list.isError && !list.isFetching ? "unchecked" : "checking";
  return { list, standing };
}

function isOld(renderedAt: number): boolean {
  const now = serverNow();
  return shown.has(renderedAt) || (now !== null && now - renderedAt > freshMilliseconds);
}

function pollMilliseconds(list: ApiKeyList | undefined): number | false {
  const rotations = list?.keys.flatMap(({ rotation }) => rotation ?? []) ?? [];
  const ended = rotations.map((rotation) => (rotation.state === "grace" ? rotation.effect : null));
  const effects = [...(list?.keys.map(({ effect }) => effect) ?? []), ...ended];
  if (effects.some((effect) => effect?.status === "pending")) return pendingPollMilliseconds;
  return rotations.length > 0 && rotationPollMilliseconds;
}
