"use client";

import { lazy, Suspense, useSyncExternalStore } from "react";

const Toasts = lazy(() => import("./toasts"));

let hasToast = false;
const listeners = new Set<() => void>();
const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** Where toasts appear. The code that shows them, 10 kB, is loaded with the first one. */
export function Toaster() {
  const isNeeded = useSyncExternalStore(
    subscribe,
    () => hasToast,
    () => false,
  );
  return isNeeded ? (
    <Suspense>
      <Toasts />
    </Suspense>
  ) : null;
}

/**
 * Toasts only confirm finished work. What a person has to know or do is in the page or its dialog. So nothing is lost when the code of the
 * toasts cannot be loaded.
 */
export async function confirmInToast(text: string): Promise<void> {
  const sonner = await import("sonner").catch(() => null);
  if (!sonner) return;
  sonner.toast.success(text);
  hasToast = true;
  for (const listener of listeners) listener();
}
