/** A page in front runs a timer every second. When one is this late, the machine has slept or the tab was frozen. */
const tickMilliseconds = 1_000;
const sleepMilliseconds = 10_000;

/**
 * Calls `onBack` whenever somebody comes back to this page: its tab is shown again, the browser takes it out of its page cache, or the machine
 * was asleep with the page in front. @returns a function that ends this.
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
    // Backwards when the clock was set.
    if (document.visibilityState === "visible" && Math.abs(pause) > sleepMilliseconds) onBack();
  }, tickMilliseconds);
  return () => {
    ending.abort();
    clearInterval(timer);
  };
}
