"use client";

import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import { Dialog, DialogContent } from "../ui/dialog";

import { type Arrived, useArrived } from "../arrived";
import { type CallFailure, toCallFailure } from "../call-failure";
import { useTellList } from "../list/use-tell-list";
import { useOneSubmit } from "../use-one-submit";
import { newRequestId } from "./request-id";
import { RevealSecret } from "./reveal-secret";
import { useLeaveGuard } from "./use-leave-guard";

export type ArrivedSecret = Extract<Arrived, { kind: "secret" }>;

export interface SecretFormState<Input> {
  failure: CallFailure | null;
  isPending: boolean;
  onSubmit: (input: Input) => Promise<void>;
}

interface SecretDialogProps<Input> {
  /** Asks the server for a secret. Repeated with the same `requestId` and input, the call brings another secret in place of the first. */
  call: (input: Input, requestId: string) => Promise<Omit<ArrivedSecret, "kind">>;
  form: (state: SecretFormState<Input>) => ReactNode;
  /** What is to be said beside the secret. */
  note?: (arrived: ArrivedSecret) => ReactNode;
  onClose: () => void;
  /** After the dialog has let go of the focus. */
  onClosed: () => void;
}

/** Asks for one secret: it shows a form, then the secret. It is mounted anew for each secret. */
export function SecretDialog<Input>({ call, form, note, onClose, onClosed }: SecretDialogProps<Input>) {
  const tellList = useTellList();
  const [requestId, setRequestId] = useState(newRequestId);
  // gcTime 0 and reset() keep the secret out of the cache. It is only in `arrived`, which this dialog empties.
  const request = useMutation({ mutationFn: (input: Input) => call(input, requestId), gcTime: 0 });
  const [failure, setFailure] = useState<CallFailure | null>(null);
  const [arrived, setArrived] = useArrived();
  const shown = arrived?.kind === "secret" ? arrived : null;
  const [isSaved, setSaved] = useState(false);
  const [isAskingToClose, setAskingToClose] = useState(false);

  // A second call would replace the secret that the first has brought. So after an answer this dialog sends nothing more.
  const submit = useOneSubmit(async (input: Input) => {
    setFailure(null);
    try {
      const answer = await request.mutateAsync(input);
      setArrived({ kind: "secret", ...answer });
      request.reset();
      tellList([answer.created.key]);
      return true;
    } catch (error) {
      const reason = toCallFailure(error);
      setFailure(reason);
      // This request id cannot be used any more, or perhaps not. The next submit asks for another secret.
      if (reason.code === "API_KEY_REQUEST_REUSED" || reason.code === "CONFLICT") setRequestId(newRequestId());
      // It may have been done all the same.
      tellList([]);
      return false;
    }
  });
  const isUnsaved = shown !== null && !isSaved;
  const endGuard = useLeaveGuard({ isOn: shown !== null, isAsking: isUnsaved, onBack: () => requestClose() });
  const close = () => {
    endGuard();
    setArrived(null);
    onClose();
  };
  const requestClose = () => {
    if (request.isPending) return;
    if (isUnsaved) setAskingToClose(!isAskingToClose);
    else close();
  };

  return (
    <Dialog open onOpenChange={requestClose}>
      <DialogContent
        width={shown ? "xl" : "md"}
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          onClosed();
        }}
      >
        {shown ? (
          <RevealSecret
            arrived={shown}
            note={note?.(shown)}
            isSaved={isSaved}
            isAskingToClose={isAskingToClose}
            onSaved={setSaved}
            onRequestClose={requestClose}
            onKeepOpen={() => setAskingToClose(false)}
            onClose={close}
          />
        ) : (
          form({ failure, isPending: request.isPending, onSubmit: submit })
        )}
      </DialogContent>
    </Dialog>
  );
}
