"use client";

import { useEffect } from "react";

/** What browsers give as the code of a key that an input method takes. Safari says no more of it than that. */
const takenKeyCode = 229;

/**
 * Leaves Escape and Enter to an input method while it composes: there they take back or accept what is being typed, and must neither
 * close a dialog nor send a form. One place for the whole document, before anything else sees the key.
 */
export function InputMethodGuard() {
  useEffect(() => {
    const ending = new AbortController();
    const options = { capture: true, signal: ending.signal };
    window.addEventListener(
      "keydown",
      (event) => {
        const isMeantForIt = event.isComposing || (event as { keyCode: number }).keyCode === takenKeyCode;
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
