import { noteExpiringUntil } from "../history";
import type { Statements } from "../platform/database";
import type { Logger } from "../platform/logger";
import type { EventSender } from "./event-sender";

interface EventsContext {
  db: Statements;
  logger: Logger;
  events?: EventSender | undefined;
}

/**
 * Notes keys that expire soon and sends events, for as long as the process lives. Both have loops of their own: a drain of purges waits for
 * neither.
 * @returns a function that stops it and waits, at most some seconds, for what is under way.
 */
export function startEvents({ db, logger, events }: EventsContext): () => Promise<void> {
  const stop = new AbortController();
  const ended = [noteExpiringUntil({ db, logger }, stop.signal)];
  if (events) ended.push(events.sendUntil(stop.signal));
  return async () => {
    stop.abort();
    await Promise.all(ended);
  };
}
