"use client";

import { useRef, useState } from "react";

import { AlertDialogContent, Dialog, DialogDescription, DialogTitle } from "../ui/dialog";
import { Button } from "../ui/button";
import { bodyClasses, footerClasses, headerClasses } from "../ui/dialog-parts";
import type { ApiKeySummary } from "latchkey";

import { useArrived } from "../arrived";
import { useOwner } from "../owner/use-owner";
import { strings } from "../strings";
import { effectOfKeys } from "./effect-of-keys";
import { EffectReceipt } from "./effect-receipt";
import { textsForAll, textsForOne } from "./revocation-texts";
import { RevokeConfirmation } from "./revoke-confirmation";
import { type RevocationPhase, useRevocation } from "./use-revocation";

interface RevokeDialogProps {
  /** What to revoke: one key, or all that can still be used. */
  target: { one: ApiKeySummary } | { all: ApiKeySummary[] };
  /** The list as it is now. Once it shows the revocation, the receipt follows it. */
  keys: ApiKeySummary[];
  onClose: () => void;
  /** After the dialog has let go of the focus. */
  onClosed: () => void;
}

/** Asks, revokes, and stays open until the outcome is known. Then it shows the receipt. */
export function RevokeDialog({ target, keys, onClose, onClosed }: RevokeDialogProps) {
  const isAll = "all" in target;
  const owner = useOwner();
  // Kept as they were when the dialog opened, since the list no longer has them once they are revoked.
  const [chosen] = useState(isAll ? target.all : [target.one]);
  const texts = isAll ? textsForAll(chosen.length, owner.texts) : textsForOne(target.one.name);
  const ids = chosen.map((key) => key.id);
  const [, setArrived] = useArrived();
  const cancelRef = useRef<HTMLButtonElement>(null);
  const { phase, submit } = useRevocation({
    ids,
    isAll,
    texts,
    onRevoked: (effect) =>
      setArrived({ kind: "receipt", title: texts.receiptTitle, effect, pendingText: texts.pending }),
  });
  const close = () => {
    setArrived(null);
    onClose();
  };
  return (
    <Dialog open onOpenChange={() => isBusy(phase) || close()}>
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
              <DialogTitle>{texts.receiptTitle}</DialogTitle>
              <DialogDescription isHidden>{strings.effect.receipt}</DialogDescription>
            </div>
            <div className={bodyClasses}>
              {/* Shows what the server has answered until the list shows the revocation. */}
              <EffectReceipt effect={effectOfKeys({ keys }, ids) ?? phase.effect} pendingText={texts.pending} />
            </div>
            <div className={footerClasses}>
              {/* The second click of a double click on "Revoke" lands here, and nobody has read the receipt yet. */}
              <Button autoFocus onClick={(event) => event.detail < 2 && close()}>
                {strings.done}
              </Button>
            </div>
          </>
        ) : (
          <RevokeConfirmation
            keys={chosen}
            isAll={isAll}
            texts={texts}
            phase={phase}
            isBusy={isBusy(phase)}
            cancelRef={cancelRef}
            onSubmit={() => void submit()}
            onCancel={close}
          />
        )}
      </AlertDialogContent>
    </Dialog>
  );
}

function isBusy({ step }: RevocationPhase): boolean {
  return step === "sending" || step === "checking";
}
