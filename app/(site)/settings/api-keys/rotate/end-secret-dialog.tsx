"use client";

import { useMutation } from "@tanstack/react-query";
import { type SyntheticEvent, useRef, useState } from "react";

import { Button } from "../ui/button";
import { AlertDialogContent, Dialog, DialogDescription, DialogTitle } from "../ui/dialog";
import { bodyClasses, footerClasses, headerClasses } from "../ui/dialog-parts";
import { Notice } from "../ui/notice";
import { Spinner } from "../ui/spinner";
import type { ApiKeySummary } from "latchkey";
import { useApiKeys } from "../../../../../trpc/latchkey/client";

import { describeFailure, toCallFailure } from "../call-failure";
import { KeyDisplay, LastUsed } from "../list/table-parts";
import { useTellList } from "../list/use-tell-list";
import { EffectReceipt } from "../revoke/effect-receipt";
import { strings } from "../strings";
import { useOneSubmit } from "../use-one-submit";
import { OldSecretReceipt } from "./old-secret-note";

interface EndSecretDialogProps {
  /** A key that is being rotated. */
  apiKey: ApiKeySummary;
  onClose: () => void;
  /** After the dialog has let go of the focus. */
  onClosed: () => void;
}

/** Ends the secret beside the current one: it cancels a rotation whose new secret waits, or ends an old secret before its time. */
export function EndSecretDialog({ apiKey, onClose, onClosed }: EndSecretDialogProps) {
  const { procedures } = useApiKeys();
  const tellList = useTellList();
  // Kept as it was when the dialog opened: the rotation is gone from the list once its secret has ended.
  const [{ id, name, rotation }] = useState(apiKey);
  const state = rotation?.state ?? "grace";
  const texts = strings.endSecret[state];
  const cancelRef = useRef<HTMLButtonElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const end = useMutation({
    mutationFn: () => (state === "waiting" ? procedures.cancelRotation : procedures.endGrace).mutate({ id }),
  });
  const submit = useOneSubmit(async () => {
    setProblem(null);
    try {
      tellList([(await end.mutateAsync()).key]);
      return true;
    } catch (error) {
      setProblem(describeFailure(toCallFailure(error), texts.failed));
      // The row tells what has become of it.
      tellList([]);
      return false;
    }
  });
  const confirm = (event: SyntheticEvent) => {
    event.preventDefault();
    void submit();
  };
  const isBusy = end.isPending;
  return (
    <Dialog open onOpenChange={() => isBusy || onClose()}>
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
        {end.data ? (
          <>
            <div className={headerClasses}>
              <DialogTitle>{texts.receiptTitle(name)}</DialogTitle>
              <DialogDescription isHidden>{strings.effect.receipt}</DialogDescription>
            </div>
            <div className={bodyClasses}>
              {end.data.effect === null ? (
                <div role="status">
                  <Notice title={end.data.key.rotation?.state === "grace" ? texts.usedMeanwhile : texts.nothing} />
                </div>
              ) : state === "grace" ? (
                <OldSecretReceipt keyId={id} effect={end.data.effect} />
              ) : (
                <EffectReceipt effect={end.data.effect} pendingText={strings.rotate.pending} />
              )}
            </div>
            <div className={footerClasses}>
              {/* The second click of a double click lands here, and nobody has read the receipt yet. */}
              <Button autoFocus onClick={(event) => event.detail < 2 && onClose()}>
                {strings.done}
              </Button>
            </div>
          </>
        ) : (
          <form onSubmit={confirm} aria-busy={isBusy}>
            <div className={headerClasses}>
              <DialogTitle>{texts.title(name)}</DialogTitle>
              <DialogDescription>{texts.text}</DialogDescription>
            </div>
            <div className={bodyClasses}>
              {rotation && (
                <p className="flex flex-wrap items-baseline gap-x-2 text-[0.8125rem]">
                  <KeyDisplay display={rotation.display} />
                  {rotation.state === "grace" && (
                    <span>
                      <LastUsed at={rotation.lastUsedAt} />
                    </span>
                  )}
                </p>
              )}
              {problem !== null && <Notice role="alert" variant="destructive" title={problem} />}
            </div>
            <div className={footerClasses}>
              <Button ref={cancelRef} variant="secondary" disabled={isBusy} onClick={onClose}>
                {texts.keep}
              </Button>
              <Button type="submit" variant="destructive" disabled={isBusy} aria-busy={isBusy}>
                {isBusy && <Spinner />}
                <span>{isBusy ? texts.submitting : texts.submit}</span>
              </Button>
            </div>
          </form>
        )}
      </AlertDialogContent>
    </Dialog>
  );
}
