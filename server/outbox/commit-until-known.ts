import { setTimeout as sleep } from "node:timers/promises";

import type { OutboxContext } from "./context";
import { CommitOutcomeUnknownError, type Statements } from "../platform/database";
import { DomainError } from "../shared/errors";
import { describeFault } from "../platform/logger";

const budgetMilliseconds = 10_000;
const pauseMilliseconds = 200;

/**
 * Commits `work`, which must be idempotent. When the connection dies while committing, nobody knows whether the work was committed. It is
 * then repeated until an attempt is confirmed or refused by a rule. No attempt starts later than 10 s after the first.
 * @param patienceMilliseconds instead of these 10 s.
 * @throws CommitOutcomeUnknownError when it is still not known then. Any other error means that nothing was changed; a DomainError is a
 *   rule's refusal.
 */
export async function commitUntilKnown<T>(
  ctx: Pick<OutboxContext, "db" | "logger">,
  work: (transaction: Statements) => Promise<T>,
  patienceMilliseconds = budgetMilliseconds,
): Promise<{ result: T; committedAt: Date }> {
  const deadline = performance.now() + patienceMilliseconds;
  let unknown: CommitOutcomeUnknownError | undefined;
  for (;;) {
    try {
      return await ctx.db.commit(work);
    } catch (fault) {
      if (fault instanceof CommitOutcomeUnknownError) unknown = fault;
      if (!unknown) throw fault;
      // A rule's refusal of a later attempt says nothing of the one before.
      if (fault instanceof DomainError) throw unknown;
      ctx.logger.warn({ fault: describeFault(fault) }, "outcome of a commit unknown");
      if (performance.now() + pauseMilliseconds > deadline) throw unknown;
    }
    await sleep(pauseMilliseconds);
  }
}
