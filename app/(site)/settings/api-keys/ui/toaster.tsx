"use client";

import { CircleCheck } from "lucide-react";
import { useEffect, useSyncExternalStore } from "react";

const shownMilliseconds = 4_000;

let toast: { text: string } | null = null;
const listeners = new Set<() => void>();
const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

function show(next: typeof toast): void {
  toast = next;
  for (const listener of listeners) listener();
}

/** Toasts only confirm finished work. What a person has to know or do is in the page or its dialog. */
export function confirmInToast(text: string): void {
  show({ text });
}

/** Where the toast appears: the last one that was shown, for a moment. */
export function Toaster() {
  const current = useSyncExternalStore(
    subscribe,
    () => toast,
    () => null,
  );
  useEffect(() => {
    if (!current) return;
    const timer = setTimeout(() => show(null), shownMilliseconds);
    return () => clearTimeout(timer);
  }, [current]);
  return (
    // Always there, since screen readers speak only of what changes inside of a region that they know.
    <div role="status" className="fixed right-4 bottom-4 z-50 sm:right-6 sm:bottom-6">
      {current && (
        <p className="flex animate-rise-in items-center gap-2.5 rounded-lg border bg-popover px-3.5 py-2.5 text-[0.8125rem] text-popover-foreground shadow-lg">
          <CircleCheck aria-hidden className="size-4 text-success" />
          <span>{current.text}</span>
        </p>
      )}
    </div>
  );
}
