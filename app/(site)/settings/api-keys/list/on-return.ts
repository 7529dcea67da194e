/** Timers stand still while a machine sleeps or a tab is frozen; a page that is looked at runs its own every second. */
const tickMilliseconds = 1_000;
const sleepMilliseconds = 10_000;

/**
 * Calls `onBack` whenever somebody comes back to this page: its tab is looked at again, the browser brings it back out of its page
 * cache, or the machine was asleep with the page in front. @returns what ends it.
 */
export function onReturn(onBack: () => void): () => void {
  const ending = new AbortController();
  const { signal } = ending;
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && onBack(), { signal });
  window.addEventListener("pageshow", (event) => event.persisted && onBack(), { signal });

  let lastTick = Date.now();
  const timer = setInterval(() => {
    const pause = Date.now() - lastTick;
    lastTick = Date.now();
    // Backwards: the clock was set.
    if (document.visibilityState === "visible" && Math.abs(pause) > sleepMilliseconds) onBack();
  }, tickMilliseconds);
  return () => {
    ending.abort();
    clearInterval(timer);
  };
}
