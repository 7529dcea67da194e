/** Thrown instead of queueing when `limit` calls are already running. */
class ConcurrencyLimitError extends Error {
  override name = "ConcurrencyLimitError";
}

export type ConcurrencyLimit = <T>(work: () => Promise<T>) => Promise<T>;

/** Lets at most `limit` calls run at a time and refuses further ones at once: under overload an early no is kinder than a queue. */
export function createConcurrencyLimit(limit: number): ConcurrencyLimit {
  let running = 0;
  return async (work) => {
    if (running >= limit) throw new ConcurrencyLimitError(`more than ${limit} calls at once`);
    running++;
    try {
      return await work();
    } finally {
      running--;
    }
  };
}
