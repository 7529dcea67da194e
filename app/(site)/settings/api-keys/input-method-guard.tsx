"use client";

import { useEffect } from "react";

/** The key code that browsers give when an input method takes the key. Safari gives no other sign of it. */
const takenKeyCode = 229;

/**
 * Leaves Escape and Enter to an input method while it composes. There they take back or accept what is being typed. They must not close a
 * dialog or send a form. It works for the whole document, and sees the key before anything else.
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
