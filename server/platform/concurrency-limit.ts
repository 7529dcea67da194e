// Our own: the usual libraries queue without a bound, or let a call that waited too long run after it was given up.

/** Thrown when too many calls wait already, or when a call has waited too long. */
class ConcurrencyLimitError extends Error {
  override name = "ConcurrencyLimitError";
}

export type ConcurrencyLimit = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Lets at most `atOnce` calls run at a time. Up to `waiting` more calls wait, in order, each at most `patienceMilliseconds`. So a burst is
 * served, and when nothing moves any more a call is refused soon.
 * @returns a function that runs a call. It rejects with ConcurrencyLimitError without running the call, or with what the call throws.
 */
export function createConcurrencyLimit(options: {
  atOnce: number;
  waiting: number;
  patienceMilliseconds: number;
}): ConcurrencyLimit {
  let running = 0;
  const queue = new Set<() => void>();

  function takePlace(): Promise<void> {
    if (running < options.atOnce) {
      running++;
      return Promise.resolve();
    }
    if (queue.size >= options.waiting) throw new ConcurrencyLimitError("too many calls are waiting");
    return new Promise((resolve, reject) => {
      const enter = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        queue.delete(enter);
        reject(new ConcurrencyLimitError(`no place within ${options.patienceMilliseconds} ms`));
      }, options.patienceMilliseconds);
      queue.add(enter);
    });
  }

  /** A call that ends gives its place to the first in the queue. */
  function leavePlace() {
    const [next] = queue;
    if (!next) {
      running--;
      return;
    }
    queue.delete(next);
    next();
  }

  return async (work) => {
    await takePlace();
    try {
      return await work();
    } finally {
      leavePlace();
    }
  };
}
