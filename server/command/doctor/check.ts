import { describeFault } from "../../platform/logger";
import { isTimeout } from "../is-timeout";

/** What was looked at, and what came of it. A check that could not be made is not ok. */
export interface Check {
  name: string;
  ok: boolean;
  /** What was seen; where it is not ok also what it means, and what to do. */
  sentence: string;
}

/** Of a clock elsewhere. */
export interface ClockReading {
  /** How far it is ahead of this process's clock. */
  aheadMilliseconds: number;
  /** It was read some time within the request: so much later or earlier than assumed. */
  uncertainMilliseconds: number;
}

/** The limit of one request to Postgres or Redis. All are made at once, so a whole examination takes hardly longer. */
export const requestMilliseconds = 2_000;

/** The driver has limits of its own. This one also holds where a driver's does not, as while a name is looked up. */
export async function withinLimit<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    const late = () => reject(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" }));
    timer = setTimeout(late, requestMilliseconds + 200);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** Why something failed, in a word or two that hold none of its values. */
export function reasonOf(fault: unknown): string {
  const { name, code, cause } = describeFault(fault);
  return isTimeout(fault) ? "no answer in time" : (cause ?? code ?? name);
}

/** Reads another machine's clock, and places the reading in the middle of the request. */
export async function readClockOf<T>(
  now: () => number,
  request: () => Promise<T>,
  clockIn: (answer: T) => number,
): Promise<{ answer: T; clock: ClockReading }> {
  const before = now();
  const answer = await request();
  const after = now();
  const uncertainMilliseconds = (after - before) / 2;
  return {
    answer,
    clock: { aheadMilliseconds: clockIn(answer) - (before + uncertainMilliseconds), uncertainMilliseconds },
  };
}
