"use client";

import { type RefObject, type SyntheticEvent, useId, useState } from "react";

import { Time } from "../time";
import { DialogDescription, DialogTitle } from "../ui/dialog";
import { Button } from "../ui/button";
import { bodyClasses, footerClasses, headerClasses } from "../ui/dialog-parts";
import { Input } from "../ui/input";
import { Label } from "../ui/label";
import { Notice } from "../ui/notice";
import { Spinner } from "../ui/spinner";
import type { ApiKeySummary } from "latchkey";
import { serverNow } from "../../../../../trpc/latchkey/server-time";

import { LastUsed } from "../list/table-parts";
import { strings } from "../strings";
import { hasLooks, looksLike } from "./looks-like";
import type { RevocationTexts } from "./revocation-texts";
import type { RevocationPhase } from "./use-revocation";

const { confirmation } = strings;
const recentMilliseconds = 86_400_000;

interface RevokeConfirmationProps {
  keys: readonly ApiKeySummary[];
  isAll: boolean;
  texts: RevocationTexts;
  phase: RevocationPhase;
  isBusy: boolean;
  cancelRef: RefObject<HTMLButtonElement | null>;
  onSubmit: () => void;
  onCancel: () => void;
}

/** Asks before a revocation. When a key was used in the last 24 hours, something may depend on it, so a word has to be typed. */
export function RevokeConfirmation(props: RevokeConfirmationProps) {
  const { keys, isAll, texts, phase, isBusy, cancelRef, onSubmit, onCancel } = props;
  const [isRecent] = useState(() => keys.some(wasUsedRecently));
  // As it is when the dialog opens: the field must not come or go while somebody types.
  const [confirmWord] = useState(isRecent && hasLooks(texts.confirmWord) ? texts.confirmWord : null);
  const [typed, setTyped] = useState("");
  const fieldId = useId();
  const isUnknown = phase.step === "unknown";
  const isConfirmed = confirmWord === null || isUnknown || looksLike(typed, confirmWord);
  const confirm = (event: SyntheticEvent) => {
    event.preventDefault();
    if (isConfirmed) onSubmit();
  };
  return (
    <form onSubmit={confirm} aria-busy={isBusy}>
      <div className={headerClasses}>
        <DialogTitle>{texts.title}</DialogTitle>
        <DialogDescription>{texts.text}</DialogDescription>
      </div>
      <div className={bodyClasses}>
        {isAll ? <KeyList keys={keys} /> : keys[0] && <LastUse at={keys[0].lastUsedAt} />}
        {isRecent && <p className="text-[0.8125rem]">{texts.recentlyUsed}</p>}
        {confirmWord !== null && !isUnknown && (
          <div className="flex flex-col gap-1.5">
            <Label htmlFor={fieldId} isQuiet className="break-words">
              <span>{confirmation.before}</span>{" "}
              <strong translate="no" className="font-semibold select-all">
                {confirmWord}
              </strong>{" "}
              <span>{confirmation.after}</span>
            </Label>
            <Input
              id={fieldId}
              autoComplete="off"
              autoCapitalize="off"
              spellCheck={false}
              value={typed}
              readOnly={isBusy}
              onChange={(event) => setTyped(event.target.value)}
            />
          </div>
        )}
        {phase.step === "confirm" && phase.problem !== null && (
          <Notice role="alert" variant="destructive" title={phase.problem} />
        )}
        {isUnknown && <Notice role="alert" variant="warning" title={texts.unknown} />}
      </div>
      <div className={footerClasses}>
        <Button ref={cancelRef} variant="secondary" disabled={isBusy} onClick={onCancel}>
          {isUnknown ? strings.close : strings.cancel}
        </Button>
        <Button
          type="submit"
          variant={isUnknown ? "primary" : "destructive"}
          disabled={!isConfirmed || isBusy}
          aria-busy={isBusy}
        >
          {isBusy && <Spinner />}
          <span>{submitTexts[phase.step] ?? texts.submit}</span>
        </Button>
      </div>
    </form>
  );
}

const submitTexts: Partial<Record<RevocationPhase["step"], string>> = {
  sending: confirmation.submitting,
  checking: confirmation.checking,
  unknown: confirmation.checkAgain,
};

function KeyList({ keys }: { keys: readonly ApiKeySummary[] }) {
  return (
    <ul className="divide-y rounded-md border bg-card text-[0.8125rem]">
      {keys.map(({ id, name, lastUsedAt }) => (
        <li key={id} className="flex flex-wrap items-baseline justify-between gap-x-4 px-3 py-2">
          <span className="min-w-0 truncate font-medium">{name}</span>
          <span className="text-xs text-muted-foreground">
            <LastUsed at={lastUsedAt} />
          </span>
        </li>
      ))}
    </ul>
  );
}

function LastUse({ at }: { at: Date | null }) {
  if (!at) return <p className="text-[0.8125rem]">{confirmation.neverUsed}</p>;
  return (
    <p className="text-[0.8125rem]">
      <span>{confirmation.lastUsed}</span> <Time value={at} form="relative" />
    </p>
  );
}

/** While the server's time is not known, any key that was ever used may have been used in the last 24 hours. */
function wasUsedRecently({ lastUsedAt }: Pick<ApiKeySummary, "lastUsedAt">): boolean {
  if (lastUsedAt === null) return false;
  const now = serverNow();
  return now === null || now - lastUsedAt.getTime() < recentMilliseconds;
}
