import { setTimeout as sleep } from "node:timers/promises";

import type { ServerContext } from "../context";
import { DomainError } from "../errors";
import { describeFault } from "../logger";
import { CommitOutcomeUnknownError, type Statements } from "./client";

const budgetMilliseconds = 10_000;
const pauseMilliseconds = 200;

/**
 * Commits idempotent `work`. When the connection dies while committing, nobody knows whether it was committed; so the work is
 * repeated, for at most 10 s, until an attempt is confirmed.
 * @throws DomainError SERVICE_UNAVAILABLE: the first attempt failed before its commit (nothing changed), or the outcome stayed unknown.
 */
export async function commitUntilKnown<T>(
  ctx: Pick<ServerContext, "db" | "logger">,
  work: (transaction: Statements) => Promise<T>,
): Promise<{ result: T; committedAt: Date }> {
  const deadline = performance.now() + budgetMilliseconds;
  let isOutcomeUnknown = false;
  for (;;) {
    try {
      return await ctx.db.commit(work);
    } catch (fault) {
      if (fault instanceof DomainError) throw fault;
      isOutcomeUnknown ||= fault instanceof CommitOutcomeUnknownError;
      ctx.logger.warn({ fault: describeFault(fault), isOutcomeUnknown }, "transaction failed");
      const message = isOutcomeUnknown
        ? "The database did not answer in time: the outcome is unknown. Check the key's state."
        : "Nothing was changed. Try again.";
      if (!isOutcomeUnknown || performance.now() + pauseMilliseconds > deadline)
        throw new DomainError("SERVICE_UNAVAILABLE", { message, cause: fault });
    }
    await sleep(pauseMilliseconds);
  }
}
