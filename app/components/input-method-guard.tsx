"use client";

import { useEffect } from "react";

/** Nobody presses two keys within this time; one key's events are much closer. */
const sameKeyMilliseconds = 30;

/**
 * Leaves Escape and Enter to an input method while it composes: there they take back or accept what is being typed, and must neither
 * close a dialog nor send a form. One place for the whole document, before anything else sees the key.
 */
export function InputMethodGuard() {
  useEffect(() => {
    const ending = new AbortController();
    const options = { capture: true, signal: ending.signal };
    // Safari ends the composition just before it tells of the key that ended it.
    let endedAt = -Infinity;
    window.addEventListener("compositionend", (event) => (endedAt = event.timeStamp), options);
    window.addEventListener(
      "keydown",
      (event) => {
        const isMeantForIt = event.isComposing || event.timeStamp - endedAt < sameKeyMilliseconds;
        if (!isMeantForIt || (event.key !== "Escape" && event.key !== "Enter")) return;
        event.stopImmediatePropagation();
        if (event.key === "Enter") event.preventDefault();
      },
      options,
    );
    return () => ending.abort();
  }, []);
  return null;
}
