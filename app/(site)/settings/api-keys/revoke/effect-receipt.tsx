"use client";

import { formatTime, Time } from "../time";
import { Notice } from "../ui/notice";
import type { Effect } from "latchkey";

import { strings } from "../strings";
import { useSecondsUntil } from "../use-seconds-until";

type PendingText = (latest: string) => string;

/** Says how far a revocation has come, and never more than the server has confirmed or promised. In the browser only. */
export function EffectReceipt({ effect, pendingText }: { effect: Effect; pendingText: PendingText }) {
  return (
    <div role="status">
      {effect.status === "effective" ? (
        <Notice variant="success" title={strings.effect.effective}>
          <span>{strings.effect.effectiveSince}</span> <Time value={effect.at} form="dateTime" />
        </Notice>
      ) : (
        <PendingReceipt guaranteedBy={effect.guaranteedBy} pendingText={pendingText} />
      )}
    </div>
  );
}

function PendingReceipt({ guaranteedBy, pendingText }: { guaranteedBy: Date; pendingText: PendingText }) {
  const seconds = useSecondsUntil(guaranteedBy);
  if (seconds === 0) return <Notice variant="warning" title={strings.effect.pastDeadline} />;
  return (
    <Notice variant="warning" title={pendingText(formatTime(guaranteedBy))}>
      {/* A live region that counts would speak every second. */}
      {seconds !== null && (
        <span role="timer" aria-live="off" className="tabular-nums">
          {strings.effect.secondsLeft(seconds)}
        </span>
      )}
    </Notice>
  );
}
