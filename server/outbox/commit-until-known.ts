import { setTimeout as sleep } from "node:timers/promises";

import type { OutboxContext } from "./context";
import { CommitOutcomeUnknownError, type Statements } from "../platform/database";
import { DomainError } from "../shared/errors";
import { describeFault } from "../platform/logger";

const budgetMilliseconds = 10_000;
const pauseMilliseconds = 200;

/**
 * Commits idempotent `work`. When the connection dies while committing, nobody knows whether it was committed. The work is then
 * repeated until an attempt is confirmed or refused, for at most 10 s.
 * @throws CommitOutcomeUnknownError when nobody could tell in that time. Every other error means that nothing was changed.
 */
export async function commitUntilKnown<T>(
  ctx: Pick<OutboxContext, "db" | "logger">,
  work: (transaction: Statements) => Promise<T>,
): Promise<{ result: T; committedAt: Date }> {
  const deadline = performance.now() + budgetMilliseconds;
  let unknown: CommitOutcomeUnknownError | undefined;
  for (;;) {
    try {
      return await ctx.db.commit(work);
    } catch (fault) {
      // A rule's refusal is an answer, in a later attempt too.
      if (fault instanceof DomainError) throw fault;
      if (fault instanceof CommitOutcomeUnknownError) unknown = fault;
      if (!unknown) throw fault;
      ctx.logger.warn({ fault: describeFault(fault) }, "outcome of a commit unknown");
      if (performance.now() + pauseMilliseconds > deadline) throw unknown;
    }
    await sleep(pauseMilliseconds);
  }
}
