"use client";

import type { Effect } from "@/server/api-keys";

import { formatTime, Time } from "../../../components/time";
import { Notice } from "../../../components/ui/notice";
import { strings } from "./strings";
import { useSecondsUntil } from "./use-seconds-until";

/** What may be said of a revocation now: never more than the server has confirmed or promised. Browser only. */
export function EffectReceipt({ effect }: { effect: Effect }) {
  return (
    <div role="status">
      {effect.status === "effective" ? (
        <Notice variant="success" title={strings.effect.effective}>
          {strings.effect.effectiveSince} <Time value={effect.at} form="dateTime" />.
        </Notice>
      ) : (
        <PendingReceipt guaranteedBy={effect.guaranteedBy} />
      )}
    </div>
  );
}

function PendingReceipt({ guaranteedBy }: { guaranteedBy: Date }) {
  const seconds = useSecondsUntil(guaranteedBy);
  if (seconds === 0) return <Notice variant="warning" title={strings.effect.pastDeadline} />;
  return (
    <Notice variant="warning" title={strings.effect.pending(formatTime(guaranteedBy))}>
      {/* A live region that counts would speak every second. */}
      {seconds !== null && (
        <span role="timer" aria-live="off" className="tabular-nums">
          {strings.effect.secondsLeft(seconds)}
        </span>
      )}
    </Notice>
  );
}
