"use client";

import { useEffect } from "react";

import { useLatest } from "../use-latest";

const entryMark = "isLeaveGuard";

/**
 * Keeps a page from being left by accident while it shows something that cannot be shown again. Before a reload, or before the document is
 * left, the browser asks while `isAsking`. No event comes before "back" inside the site. So while `isOn` the history has one more entry of this
 * page. "Back" takes only that entry away; it is put back, and `onBack` is called.
 * @returns a function that takes the entry away. Call it when the guard is no longer needed, before the component is unmounted.
 */
export function useLeaveGuard(options: { isOn: boolean; isAsking: boolean; onBack: () => void }): () => void {
  const { isOn, isAsking } = options;

  useEffect(() => {
    if (!isAsking) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [isAsking]);

  const onBack = useLatest(options.onBack);
  useEffect(() => {
    if (!isOn) return;
    addEntry();
    const stay = () => {
      addEntry();
      onBack();
    };
    window.addEventListener("popstate", stay);
    return () => window.removeEventListener("popstate", stay);
  }, [isOn, onBack]);

  return () => {
    if (hasEntry()) window.history.back();
  };
}

function addEntry(): void {
  // In development effects run twice.
  if (!hasEntry()) window.history.pushState({ [entryMark]: true }, "");
}

function hasEntry(): boolean {
  return Boolean((window.history.state as Record<string, unknown> | null)?.[entryMark]);
}
