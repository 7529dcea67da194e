import type { Statements } from "../platform/database";
import { describeFault, type Logger } from "../platform/logger";
import type { Metrics } from "../platform/metrics";
import { attemptToSend } from "./attempt";
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
  sendUntil(stopped: AbortSignal): Promise<void>;
  /** Tries everything that waits once, due or not. It begins nothing after 5 s. It never throws. */
  sendAll(now?: () => number): Promise<{ delivered: number; failed: number }>;
  /** Whether the receiver has answered 410. This process then sends nothing any more. */
  isRefused(): boolean;
}

interface SenderContext {
  db: Statements;
  logger: Logger;
  metrics: Pick<Metrics, "countEvent">;
  events: EventSettings;
}

/** Attempts at a time. */
const mostAtOnce = 10;
/** Of them, of each kind. So what is new never waits until a receiver has hung on what failed before, and that gets its turn, too. */
const mostOf = { first: 9, again: 5 };
const pauseMilliseconds = 1_000;
const budgetMilliseconds = 5_000;
/** At the end of a process. The rest is sent by another one, or after the next start. */
const patienceMilliseconds = 5_000;

/**
 * Makes what sends events to their receiver. Each goes on its own: one that fails, or whose receiver hangs, holds up no other. No transaction
 * and no connection is held while an answer is waited for, and at any time at most one statement runs. So however slow the receiver is,
 * nothing else waits for it.
 */
export function createEventSender({ db, logger, metrics, events }: SenderContext): EventSender {
  const sign = createSigner(events.secret);
  let isRefused = false;
  let lastStatement: Promise<unknown> = Promise.resolve();

  /** One after another. */
  function inTurn<T>(statement: () => Promise<T>): Promise<T> {
    const run = lastStatement.then(statement);
    lastStatement = run.catch(() => undefined);
    return run;
  }

  function createRound(ending: AbortSignal, notTriedSince?: string) {
    const underWay = new Map<Promise<void>, "first" | "again">();
    const tally = { delivered: 0, failed: 0 };

    async function deliver(delivery: Delivery): Promise<void> {
      const { id, attempts, event } = delivery;
      // An event that is gone from the history counts as delivered: there is nothing to send.
      const outcome = event ? await send(id, bodyOf(event), ending) : ({ result: "delivered" } as const);
      if (outcome.result === "delivered") tally.delivered++;
      else tally.failed++;
      if (outcome.result === "refused" && !isRefused) {
        isRefused = true;
        logger.error("the receiver of events has answered 410: this process sends no more");
      }
      try {
        const isGivenUp = await inTurn(() => settleDelivery(db, delivery, outcome));
        metrics.countEvent(isGivenUp ? "given_up" : outcome.result);
        if (outcome.result === "failed")
          logger.warn({ event: id, attempts, reason: outcome.reason }, "event not delivered");
        if (isGivenUp) logger.error({ event: id, attempts }, "event given up");
      } catch (fault) {
        logger.warn({ event: id, fault: describeFault(fault) }, "delivery not noted; the event is sent again");
      }
    }

    return {
      tally,
      underWay,
      /** Begins as many attempts as there are places. @returns how many. */
      async begin(): Promise<number> {
        if (isRefused) return 0;
        const free = mostAtOnce - underWay.size;
        if (free <= 0) return 0;
        const again = [...underWay.values()].filter((kind) => kind === "again").length;
        const first = underWay.size - again;
        const places = { all: free, first: Math.min(free, mostOf.first - first), again: mostOf.again - again };
        const claimed = await inTurn(() =>
          claimDeliveries(db, places, notTriedSince === undefined ? {} : { notTriedSince }),
        );
        for (const delivery of claimed) {
          const attempt = deliver(delivery).finally(() => underWay.delete(attempt));
          underWay.set(attempt, delivery.attempts > 1 ? "again" : "first");
        }
        return claimed.length;
      },
    };
  }

  const send = (id: string, body: string, ending: AbortSignal) =>
    attemptToSend(events.url, { headers: sign(id, new Date(), body), body }, ending);

  return {
    isRefused: () => isRefused,
    async sendUntil(stopped) {
      const ending = new AbortController();
      const { begin, underWay } = createRound(ending.signal);
      while (!stopped.aborted) {
        const begun = await begin().catch((fault: unknown) => {
          logger.warn({ fault: describeFault(fault) }, "no events claimed");
          return 0;
        });
        await pauseUntil(stopped, begun > 0 ? underWay.keys() : []);
      }
      const timer = setTimeout(() => ending.abort(), patienceMilliseconds);
      await Promise.all(underWay.keys());
      clearTimeout(timer);
    },
    async sendAll(now = () => performance.now()) {
      const endsAt = now() + budgetMilliseconds;
      const never = new AbortController().signal;
      const tally = { delivered: 0, failed: 0 };
      try {
        const round = createRound(never, await inTurn(() => readClockText(db)));
        while (now() < endsAt) {
          if ((await round.begin()) === 0 && round.underWay.size === 0) break;
          if (round.underWay.size > 0) await Promise.race(round.underWay.keys());
        }
        await Promise.all(round.underWay.keys());
        Object.assign(tally, round.tally);
      } catch (fault) {
        logger.warn({ fault: describeFault(fault) }, "no events claimed");
      }
      return tally;
    },
  };
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
