import type { Statements } from "../platform/database";
import { describeFault, type Logger } from "../platform/logger";
import type { Metrics } from "../platform/metrics";
import { attemptToSend, type Outcome } from "./attempt";
import { claimDeliveries, type Delivery, readClockText, settleDelivery } from "./deliveries";
import { bodyOf, createSigner } from "./message";

/** Where events are sent. */
export interface EventSettings {
  url: string;
  /** `whsec_` and base64; two of them, separated by a space, while it is changed. */
  secret: string;
}

export interface EventSender {
  /** Sends what is due, and what becomes due, until `stopped`. Then it waits for what is under way, at most some seconds. It never throws. */
  sendUntil: (stopped: AbortSignal) => Promise<void>;
  /** Tries everything that waits once, due or not. It begins nothing after 5 s. It never throws. */
  sendAll: (now?: () => number) => Promise<{ delivered: number; failed: number }>;
  /** Whether the receiver has answered 410. This process then sends nothing any more. */
  isRefused: () => boolean;
}

interface SenderContext {
  db: Statements;
  logger: Logger;
  metrics: Pick<Metrics, "countEvent">;
  events: EventSettings;
}

/** Attempts at a time, of the loop and of each call of the cron endpoint. */
const mostAtOnce = 10;
/** Of them, of each kind. So what is new never waits until a receiver has hung on what failed before, and that gets its turn, too. */
const mostOf = { first: 9, again: 5 };
const pauseMilliseconds = 1_000;
/** For `GET /api/cron/purge`. The last attempts may take their 15 s beyond it. */
const budgetMilliseconds = 5_000;
/** At the end of a process. What is not answered by then is sent by another one, or after the next start. */
const patienceMilliseconds = 5_000;
/** After that, for the database to note it. What it does not take in time stays claimed for some seconds. */
const notingMilliseconds = 2_000;

/**
 * Makes what sends events to their receiver. Each goes on its own: one that fails, or on which the receiver hangs, holds up no other. No
 * connection to the database is held while an answer is waited for, and one statement runs at a time. So however slow the receiver is, nothing
 * else waits for it.
 */
export function createEventSender({ db, logger, metrics, events }: SenderContext): EventSender {
  const sign = createSigner(events.secret);
  let isRefused = false;
  let lastStatement: Promise<unknown> = Promise.resolve();

  function inTurn<T>(statement: () => Promise<T>): Promise<T> {
    const run = lastStatement.then(statement);
    lastStatement = run.catch(() => undefined);
    return run;
  }

  /** Never throws. */
  async function deliver(delivery: Delivery, ending: AbortSignal): Promise<Outcome["result"]> {
    const { id, event } = delivery;
    // What is gone from the history is not sent, and waits no more.
    const outcome = event ? await send(id, bodyOf(event), ending) : ({ result: "delivered" } as const);
    if (outcome.result === "refused" && !isRefused) {
      isRefused = true;
      logger.error("the receiver of events has answered 410: this process sends no more");
    }
    await note(delivery, outcome);
    return outcome.result;
  }

  const send = (id: string, body: string, ending: AbortSignal) =>
    attemptToSend(events.url, { headers: sign(id, new Date(), body), body }, ending);

  /** Policy: what cannot be noted stays claimed for some seconds. Then the event is sent again. */
  async function note(delivery: Delivery, outcome: Outcome): Promise<void> {
    const { id, attempts } = delivery;
    try {
      const isGivenUp = await inTurn(() => settleDelivery(db, delivery, outcome));
      metrics.countEvent(isGivenUp ? "given_up" : outcome.result);
      if (outcome.result === "failed")
        logger.warn({ event: id, attempts, reason: outcome.reason }, "event not delivered");
      if (isGivenUp) logger.error({ event: id, attempts }, "event given up");
    } catch (fault) {
      logger.warn({ event: id, fault: describeFault(fault) }, "what became of an event is not noted");
    }
  }

  /** @param notTriedSince takes what was not tried since then, due or not; absent: what is due. */
  function createRound(ending: AbortSignal, notTriedSince?: string) {
    const underWay = new Map<Promise<void>, keyof typeof mostOf>();
    const tally = { delivered: 0, failed: 0 };

    function freePlaces() {
      const again = [...underWay.values()].filter((kind) => kind === "again").length;
      const all = mostAtOnce - underWay.size;
      return { all, first: Math.min(all, mostOf.first - (underWay.size - again)), again: mostOf.again - again };
    }

    /** Begins as many attempts as there are places. @returns how many. @throws what the database throws. */
    async function begin(): Promise<number> {
      const places = freePlaces();
      if (isRefused || places.all === 0) return 0;
      const claimed = await inTurn(() => claimDeliveries(db, places, notTriedSince));
      for (const delivery of claimed) {
        const attempt = deliver(delivery, ending).then((result) => {
          tally[result === "delivered" ? "delivered" : "failed"]++;
          underWay.delete(attempt);
        });
        underWay.set(attempt, delivery.attempts > 1 ? "again" : "first");
      }
      return claimed.length;
    }

    return { begin, underWay, tally };
  }

  async function sendUntil(stopped: AbortSignal): Promise<void> {
    const ending = new AbortController();
    const sent = sendDue(stopped, ending.signal);
    if (!stopped.aborted) await new Promise((resolve) => stopped.addEventListener("abort", resolve));
    const timer = setTimeout(() => ending.abort(), patienceMilliseconds);
    // A database that hangs is waited for no longer than a receiver.
    let late: NodeJS.Timeout | undefined;
    await Promise.race([
      sent,
      new Promise((resolve) => (late = setTimeout(resolve, patienceMilliseconds + notingMilliseconds))),
    ]);
    clearTimeout(timer);
    clearTimeout(late);
  }

  async function sendDue(stopped: AbortSignal, ending: AbortSignal): Promise<void> {
    const { begin, underWay } = createRound(ending);
    while (!stopped.aborted) {
      const begun = await begin().catch(noteFault);
      // When one has ended there may be more, and there is a place for it.
      await pauseUntil(stopped, begun > 0 ? underWay.keys() : []);
    }
    await Promise.all(underWay.keys());
  }

  async function sendAll(now = () => performance.now()) {
    const endsAt = now() + budgetMilliseconds;
    const never = new AbortController().signal;
    const clock = await inTurn(() => readClockText(db)).catch(noteFault);
    if (clock === 0) return { delivered: 0, failed: 0 };
    const { begin, underWay, tally } = createRound(never, clock);
    while (now() < endsAt) {
      const begun = await begin().catch(noteFault);
      if (begun === 0 && underWay.size === 0) break;
      if (underWay.size > 0) await Promise.race(underWay.keys());
    }
    await Promise.all(underWay.keys());
    return tally;
  }

  function noteFault(fault: unknown): 0 {
    logger.warn({ fault: describeFault(fault) }, "no events claimed");
    return 0;
  }

  return { sendUntil, sendAll, isRefused: () => isRefused };
}

/** For a second, or until one of these has ended, or all is to stop. */
async function pauseUntil(stopped: AbortSignal, ends: Iterable<Promise<unknown>>): Promise<void> {
  let end: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (end = resolve));
  const timer = setTimeout(end, pauseMilliseconds);
  timer.unref();
  stopped.addEventListener("abort", end);
  await Promise.race([over, ...ends]);
  clearTimeout(timer);
  stopped.removeEventListener("abort", end);
}
