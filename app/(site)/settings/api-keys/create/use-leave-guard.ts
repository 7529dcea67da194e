"use client";

import { useEffect, useEffectEvent } from "react";

const entryMark = "isLeaveGuard";

/**
 * Keeps a page from being left by accident while something is shown that cannot be shown again. Reloading and leaving: the browser
 * asks, while `isAsking`. "Back" inside the site tells nobody beforehand, so while `isOn` the history has one more entry of this page:
 * "back" only takes that one away, it is put back, and `onBack` is called.
 * @returns what to call when it is over, before the component goes: it takes the entry away.
 */
export function useLeaveGuard(options: { isOn: boolean; isAsking: boolean; onBack: () => void }): () => void {
  const { isOn, isAsking } = options;

  useEffect(() => {
    if (!isAsking) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [isAsking]);

  const onBack = useEffectEvent(options.onBack);
  useEffect(() => {
    if (!isOn) return;
    addEntry();
    const stay = () => {
      addEntry();
      onBack();
    };
    window.addEventListener("popstate", stay);
    return () => window.removeEventListener("popstate", stay);
  }, [isOn]);

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
