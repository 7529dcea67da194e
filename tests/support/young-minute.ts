import { setTimeout as sleep } from "node:timers/promises";

const minute = 60_000;
const wanted = 5_000;

/**
 * Waits, where the minute of the clock is nearly over, for the next one. The limits in Redis count by these minutes: calls on both sides of an end
 * get a call or two more than the limit.
 */
export async function youngMinute(): Promise<void> {
  const left = minute - (Date.now() % minute);
  if (left < wanted) await sleep(left);
}
