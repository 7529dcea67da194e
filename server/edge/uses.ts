import { type CountedUse, largestReport } from "../gateway/origin-headers";
import type { Settings } from "./options";
import { send } from "./send";

/** Lets a promise settle after the answer was sent, as a worker's `ctx.waitUntil` does. */
export type WaitUntil = (task: Promise<unknown>) => void;

const reportMilliseconds = 5_000;
/** Uses of this time go to the origin together. A worker may live for 30 s after an answer. */
const gatherMilliseconds = 5_000;
const hourMilliseconds = 3_600_000;

/**
 * Counts the uses that were accepted here, and reports them to the origin in batches. A report is sent once, so no use counts twice. What an
 * ending isolate held, or a report that failed, is lost: at most one batch. Secrets beyond what a report holds are not counted until it is sent.
 * @returns a function that counts one use of a secret, by its hash, without waiting for anything.
 */
export function createUses({ introspectionUrl, introspectionSecret }: Settings) {
  const pending = new Map<string, CountedUse>();
  let gatheringUntil = 0;

  async function report() {
    await new Promise((resolve) => setTimeout(resolve, gatherMilliseconds));
    gatheringUntil = 0;
    const uses = [...pending.values()];
    pending.clear();
    if (uses.length === 0) return;
    await send(`${introspectionUrl}/uses`, {
      bearer: introspectionSecret,
      type: "application/json",
      body: JSON.stringify({ uses }),
      milliseconds: reportMilliseconds,
    });
  }

  return (hash: string, at: number, waitUntil: WaitUntil) => {
    const name = `${hash}:${Math.floor(at / hourMilliseconds)}`;
    const known = pending.get(name);
    if (known) {
      known.count++;
      known.lastUsedAt = Math.max(known.lastUsedAt, at);
    } else if (pending.size < largestReport) pending.set(name, { hash, count: 1, lastUsedAt: at });
    // The platform may have ended the request that was to report. Then another one does.
    if (at < gatheringUntil) return;
    gatheringUntil = at + 2 * gatherMilliseconds;
    waitUntil(report().catch(() => undefined));
  };
}
