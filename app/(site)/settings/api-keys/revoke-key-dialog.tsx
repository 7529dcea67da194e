"use client";

import { useQuery } from "@tanstack/react-query";
import { type SyntheticEvent, useId, useRef, useState } from "react";

import type { ApiKeySummary, Effect } from "@/server/api-keys";
import { useTRPC } from "@/trpc/client";
import { serverNow } from "@/trpc/server-time";

import { Time } from "../../../components/time";
import {
  AlertDialog,
  AlertDialogContent,
  AlertDialogDescription,
  AlertDialogTitle,
} from "../../../components/ui/alert-dialog";
import { Button } from "../../../components/ui/button";
import { bodyClasses, footerClasses, headerClasses } from "../../../components/ui/dialog-parts";
import { Input } from "../../../components/ui/input";
import { Label } from "../../../components/ui/label";
import { Notice } from "../../../components/ui/notice";
import { Spinner } from "../../../components/ui/spinner";
import { EffectReceipt } from "./effect-receipt";
import { strings } from "./strings";
import { type RevokePhase, useRevoke } from "./use-revoke";

const { revoke: texts } = strings;
const recentMilliseconds = 86_400_000;
const pollMilliseconds = 2_000;

interface RevokeKeyDialogProps {
  apiKey: ApiKeySummary;
  onClose: () => void;
  /** After the dialog has let go of the focus. */
  onClosed: () => void;
}

/** Asks, revokes, and stays until the truth is known: then it is the receipt. */
export function RevokeKeyDialog({ apiKey, onClose, onClosed }: RevokeKeyDialogProps) {
  const { phase, send, checkAgain } = useRevoke(apiKey);
  const isBusy = phase.step === "sending" || phase.step === "checking";
  const cancelRef = useRef<HTMLButtonElement>(null);
  return (
    <AlertDialog open onOpenChange={() => isBusy || onClose()}>
      <AlertDialogContent
        onOpenAutoFocus={(event) => {
          event.preventDefault();
          cancelRef.current?.focus();
        }}
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          onClosed();
        }}
      >
        {phase.step === "revoked" ? (
          <Receipt apiKey={apiKey} effect={phase.effect} onClose={onClose} />
        ) : (
          <Confirmation
            apiKey={apiKey}
            phase={phase}
            cancelRef={cancelRef}
            onCancel={onClose}
            onConfirm={() => void (phase.step === "unknown" ? checkAgain() : send())}
          />
        )}
      </AlertDialogContent>
    </AlertDialog>
  );
}

interface ConfirmationProps {
  apiKey: ApiKeySummary;
  phase: Exclude<RevokePhase, { step: "revoked" }>;
  cancelRef: React.RefObject<HTMLButtonElement | null>;
  onCancel: () => void;
  onConfirm: () => void;
}

function Confirmation({ apiKey, phase, cancelRef, onCancel, onConfirm }: ConfirmationProps) {
  const { name, lastUsedAt } = apiKey;
  // As it was when the dialog opened: the field must not appear or go while somebody types.
  const [mustType] = useState(
    () => lastUsedAt !== null && (serverNow() ?? Date.now()) - lastUsedAt.getTime() < recentMilliseconds,
  );
  const [typed, setTyped] = useState("");
  const fieldId = useId();
  const isBusy = phase.step === "sending" || phase.step === "checking";
  const isUnknown = phase.step === "unknown";
  const isConfirmed = !mustType || isUnknown || typed.trim() === name;
  const confirm = (event: SyntheticEvent) => {
    event.preventDefault();
    if (isConfirmed && !isBusy) onConfirm();
  };
  return (
    <form onSubmit={confirm} aria-busy={isBusy}>
      <div className={headerClasses}>
        <AlertDialogTitle>{texts.title(name)}</AlertDialogTitle>
        <AlertDialogDescription>{texts.text}</AlertDialogDescription>
      </div>
      <div className={bodyClasses}>
        <p className="text-[0.8125rem]">
          {lastUsedAt ? (
            <>
              {texts.lastUsed} <Time value={lastUsedAt} form="relative" />.{mustType && ` ${texts.recentlyUsed}`}
            </>
          ) : (
            texts.neverUsed
          )}
        </p>
        {mustType && !isUnknown && (
          <div className="flex flex-col gap-1.5">
            <Label htmlFor={fieldId} className="font-normal break-words">
              {texts.confirmLabel.before} <strong className="font-semibold select-all">{name}</strong>{" "}
              {texts.confirmLabel.after}
            </Label>
            <Input
              id={fieldId}
              autoComplete="off"
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
          {phase.step === "sending"
            ? texts.submitting
            : phase.step === "checking"
              ? texts.checking
              : isUnknown
                ? texts.checkAgain
                : texts.submit}
        </Button>
      </div>
    </form>
  );
}

function Receipt({ apiKey, effect, onClose }: { apiKey: ApiKeySummary; effect: Effect; onClose: () => void }) {
  const trpc = useTRPC();
  // Asks until the purge is confirmed. Once effective, always effective: nothing more to ask.
  const { data } = useQuery(
    trpc.apiKeys.effect.queryOptions(
      { id: apiKey.id },
      {
        initialData: effect,
        staleTime: Infinity,
        refetchInterval: ({ state }) => (state.data?.status === "effective" ? false : pollMilliseconds),
      },
    ),
  );
  return (
    <>
      <div className={headerClasses}>
        <AlertDialogTitle>{texts.receiptTitle(apiKey.name)}</AlertDialogTitle>
        <AlertDialogDescription className="sr-only">{apiKey.display}</AlertDialogDescription>
      </div>
      <div className={bodyClasses}>
        <EffectReceipt effect={data ?? effect} />
      </div>
      <div className={footerClasses}>
        <Button autoFocus onClick={onClose}>
          {strings.done}
        </Button>
      </div>
    </>
  );
}
