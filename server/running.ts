/** A host's handler that never ends must not keep a process from ending. */
const patienceMilliseconds = 10_000;

/** Knows what is running, so that it can be waited for before the connections are closed. */
export function createRunning() {
  const running = new Set<Promise<unknown>>();
  return {
    /** @returns `work` itself. It is waited for until it settles. */
    wait<T>(work: Promise<T>): Promise<T> {
      running.add(work);
      const forget = () => running.delete(work);
      work.then(forget, forget);
      return work;
    },
    /** Waits for everything that runs, and for what begins meanwhile, but not for ever. */
    async end(): Promise<void> {
      let timer: NodeJS.Timeout | undefined;
      const tooLong = new Promise<"too long">((resolve) => {
        timer = setTimeout(() => resolve("too long"), patienceMilliseconds);
      });
      while (running.size > 0) if ((await Promise.race([tooLong, Promise.allSettled(running)])) === "too long") break;
      clearTimeout(timer);
    },
  };
}
