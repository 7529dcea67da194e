"use client";

import { type ReactNode, type SyntheticEvent, useId, useRef, useState } from "react";

import {
  AlertDialog,
  AlertDialogContent,
  AlertDialogDescription,
  AlertDialogTitle,
} from "@/app/components/ui/alert-dialog";
import { Button } from "@/app/components/ui/button";
import { bodyClasses, footerClasses, headerClasses } from "@/app/components/ui/dialog-parts";
import { Input } from "@/app/components/ui/input";
import { Label } from "@/app/components/ui/label";
import { Notice } from "@/app/components/ui/notice";
import { Spinner } from "@/app/components/ui/spinner";
import type { ApiKeySummary } from "@/server/api-keys";
import { serverNow } from "@/trpc/server-time";

import { useArrived } from "../arrived";
import { strings } from "../strings";
import { looksLike } from "./looks-like";
import type { RevocationPhase, useRevocation } from "./use-revocation";

const { revoke: texts } = strings;
const recentMilliseconds = 86_400_000;

interface RevokeDialogProps {
  title: string;
  text: string;
  submit: string;
  /** What may depend on what is revoked. */
  children: ReactNode;
  /** To be typed before; null for no such step. As it is when the dialog opens: the field must not come or go while somebody types. */
  confirmWord: string | null;
  revocation: ReturnType<typeof useRevocation>;
  receipt: ReactNode;
  receiptTitle: string;
  onClose: () => void;
  /** After the dialog has let go of the focus. */
  onClosed: () => void;
}

/** Asks, revokes, and stays until the truth is known: then it is the receipt. */
export function RevokeDialog(props: RevokeDialogProps) {
  const { revocation, receipt, receiptTitle, onClosed } = props;
  const [, setArrived] = useArrived();
  const onClose = () => {
    setArrived(null);
    props.onClose();
  };
  const { phase } = revocation;
  const cancelRef = useRef<HTMLButtonElement>(null);
  return (
    <AlertDialog open onOpenChange={() => isBusy(phase) || onClose()}>
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
          <>
            <div className={headerClasses}>
              <AlertDialogTitle>{receiptTitle}</AlertDialogTitle>
              <AlertDialogDescription className="sr-only">{texts.receipt}</AlertDialogDescription>
            </div>
            <div className={bodyClasses}>{receipt}</div>
            <div className={footerClasses}>
              <Button autoFocus onClick={onClose}>
                {strings.done}
              </Button>
            </div>
          </>
        ) : (
          <Confirmation {...props} cancelRef={cancelRef} />
        )}
      </AlertDialogContent>
    </AlertDialog>
  );
}

const busyTexts: Partial<Record<RevocationPhase["step"], string>> = {
  sending: texts.submitting,
  checking: texts.checking,
};

function Confirmation(props: RevokeDialogProps & { cancelRef: React.RefObject<HTMLButtonElement | null> }) {
  const { title, text, submit, children, revocation, cancelRef, onClose } = props;
  const { phase, submit: revoke } = revocation;
  const [confirmWord] = useState(props.confirmWord);
  const [typed, setTyped] = useState("");
  const fieldId = useId();
  const isUnknown = phase.step === "unknown";
  const isConfirmed = confirmWord === null || isUnknown || looksLike(typed, confirmWord);
  const confirm = (event: SyntheticEvent) => {
    event.preventDefault();
    if (isConfirmed) void revoke();
  };
  return (
    <form onSubmit={confirm} aria-busy={isBusy(phase)}>
      <div className={headerClasses}>
        <AlertDialogTitle>{title}</AlertDialogTitle>
        <AlertDialogDescription>{text}</AlertDialogDescription>
      </div>
      <div className={bodyClasses}>
        {children}
        {confirmWord !== null && !isUnknown && (
          <div className="flex flex-col gap-1.5">
            <Label htmlFor={fieldId} className="font-normal break-words">
              <span>{texts.confirmLabel.before}</span>{" "}
              <strong translate="no" className="font-semibold select-all">
                {confirmWord}
              </strong>{" "}
              <span>{texts.confirmLabel.after}</span>
            </Label>
            <Input
              id={fieldId}
              autoComplete="off"
              autoCapitalize="off"
              spellCheck={false}
              value={typed}
              readOnly={isBusy(phase)}
              onChange={(event) => setTyped(event.target.value)}
            />
          </div>
        )}
        {phase.step === "confirm" && phase.problem !== null && (
          <Notice role="alert" variant="destructive" title={phase.problem} />
        )}
        {isUnknown && <Notice role="alert" variant="warning" title={revocation.unknownText} />}
      </div>
      <div className={footerClasses}>
        <Button ref={cancelRef} variant="secondary" disabled={isBusy(phase)} onClick={onClose}>
          {isUnknown ? strings.close : strings.cancel}
        </Button>
        <Button
          type="submit"
          variant={isUnknown ? "primary" : "destructive"}
          disabled={!isConfirmed || isBusy(phase)}
          aria-busy={isBusy(phase)}
        >
          {isBusy(phase) && <Spinner />}
          <span>{isUnknown ? texts.checkAgain : (busyTexts[phase.step] ?? submit)}</span>
        </Button>
      </div>
    </form>
  );
}

/** Whether something may depend on the key today, so that revoking it wants a second thought. */
export function wasUsedRecently({ lastUsedAt }: Pick<ApiKeySummary, "lastUsedAt">): boolean {
  if (lastUsedAt === null) return false;
  const now = serverNow();
  return now === null || now - lastUsedAt.getTime() < recentMilliseconds;
}

function isBusy({ step }: ReturnType<typeof useRevocation>["phase"]): boolean {
  return step === "sending" || step === "checking";
}
