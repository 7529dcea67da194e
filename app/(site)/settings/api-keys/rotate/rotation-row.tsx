"use client";

import { RefreshCw } from "lucide-react";
import type { ReactNode } from "react";

import { Time } from "../time";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import type { ApiKeySummary } from "latchkey";

import { PendingCell } from "../list/revoked-keys";
import { KeyDisplay, LastUsed } from "../list/table-parts";
import type { Standing } from "../list/use-visited-list";
import { strings } from "../strings";
import { useServerTime } from "../use-server-time";
import { describeGrace } from "./describe-grace";

const { rotation: texts } = strings;
const quietMilliseconds = 3_600_000;

type Rotation = NonNullable<ApiKeySummary["rotation"]>;

interface RotationRowProps {
  apiKey: ApiKeySummary;
  standing: Standing;
  /** Absent: whoever looks may not change the key. */
  onEnd: (() => void) | undefined;
}

/** Below a key that is being rotated: its other secret, and how the rotation stands. */
export function RotationRow({ apiKey, standing, onEnd }: RotationRowProps) {
  const { name, rotation, status } = apiKey;
  if (!rotation) return null;
  const isEnding = rotation.state === "grace" && rotation.effect !== null;
  return (
    <tr className="is-of-row-above has-[+.is-of-row-above]:border-b-0! bg-muted/40 text-[0.8125rem]">
      <td colSpan={8} className="px-4 py-2.5 sm:pl-10">
        <span className="sr-only">{texts.of(name)}</span>
        <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
          <div className="flex min-w-0 flex-1 basis-64 gap-2.5">
            <RefreshCw aria-hidden className="mt-0.5 size-4 shrink-0 text-muted-foreground" />
            <div className="min-w-0 leading-5">
              {standing === "checked" ? (
                <State rotation={rotation} isExpired={status === "expired"} />
              ) : (
                <Sentence title={texts[rotation.state].title} display={rotation.display}>
                  <Badge>{strings.status[standing]}</Badge>
                </Sentence>
              )}
            </div>
          </div>
          {onEnd && !isEnding && (
            <Button
              variant={rotation.state === "grace" ? "destructiveOutline" : "secondary"}
              size="sm"
              aria-label={texts[rotation.state].actionLabel(name)}
              onClick={onEnd}
            >
              {texts[rotation.state].action}
            </Button>
          )}
        </div>
      </td>
    </tr>
  );
}

function Sentence({ title, display, children }: { title: string; display: string; children: ReactNode }) {
  return (
    <p>
      <span className="font-medium">{title}</span> <KeyDisplay display={display} /> {children}
    </p>
  );
}

function State({ rotation, isExpired }: { rotation: Rotation; isExpired: boolean }) {
  const { title } = texts[rotation.state];
  if (rotation.state === "waiting")
    return (
      <>
        <Sentence title={title} display={rotation.display}>
          <span>{isExpired ? texts.waiting.expired : texts.waiting.state}</span>
        </Sentence>
        {!isExpired && (
          <p className="text-muted-foreground">{texts.waiting.old(describeGrace(rotation.graceSeconds))}</p>
        )}
      </>
    );
  if (rotation.effect?.status === "pending")
    return (
      <Sentence title={title} display={rotation.display}>
        <PendingCell guaranteedBy={rotation.effect.guaranteedBy} />
      </Sentence>
    );
  return (
    <>
      <Sentence title={title} display={rotation.display}>
        <span>
          <span>{texts.grace.until}</span> <Time value={rotation.endsAt} form="dateTime" />
        </span>
      </Sentence>
      <p className="text-muted-foreground">
        <span>
          <LastUsed at={rotation.lastUsedAt} />
        </span>{" "}
        <Quiet since={rotation.lastUsedAt} />
      </p>
    </>
  );
}

/** Tells when nothing has used the old secret for a while: then all programs may have the new one. */
function Quiet({ since }: { since: Date | null }) {
  const isQuiet = useServerTime((now) => since !== null && now - since.getTime() > quietMilliseconds, false);
  return isQuiet ? <span>{texts.grace.quiet}</span> : null;
}
