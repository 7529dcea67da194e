"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { Button } from "../ui/button";
import { Dialog, DialogClose, DialogContent, DialogDescription, DialogTitle } from "../ui/dialog";
import { bodyClasses, footerClasses, headerClasses } from "../ui/dialog-parts";
import type { ApiKeyList } from "latchkey";
import type { CreateInput } from "latchkey/shared";
import { useApiKeys } from "../../../../../trpc/latchkey/client";

import { useArrived } from "../arrived";
import { type CallFailure, toCallFailure } from "../call-failure";
import { useOwner } from "../owner/use-owner";
import { type OwnerTexts, strings } from "../strings";
import { useOneSubmit } from "../use-one-submit";
import { CreateKeyForm } from "./create-key-form";
import { newRequestId } from "./request-id";
import { RevealSecret } from "./reveal-secret";
import { useLeaveGuard } from "./use-leave-guard";

interface CreateKeyDialogProps {
  limit: ApiKeyList["limit"];
  access: ApiKeyList["access"];
  onClose: () => void;
  /** After the dialog has let go of the focus. */
  onClosed: () => void;
}

/** Creates one key: it shows the form, then the secret. It is mounted anew for each key. */
export function CreateKeyDialog({ limit, access, onClose, onClosed }: CreateKeyDialogProps) {
  const { procedures, queries } = useApiKeys();
  const { texts } = useOwner();
  const queryClient = useQueryClient();
  // gcTime 0 and reset() keep the secret out of the cache. It is only in `arrived`, which this dialog empties.
  const create = useMutation({ mutationFn: (input: CreateInput) => procedures.create.mutate(input), gcTime: 0 });
  const [requestId, setRequestId] = useState(newRequestId);
  const [failure, setFailure] = useState<CallFailure | null>(null);
  const [arrived, setArrived] = useArrived();
  const created = arrived?.kind === "secret" ? arrived.created : null;
  const [isSaved, setSaved] = useState(false);
  const [isAskingToClose, setAskingToClose] = useState(false);
  // Kept as it was when the dialog opened, since the key that it creates may be the last one allowed.
  const [blocked] = useState(() => whyBlocked(texts, limit, access));

  // A second call would replace the secret that the first has brought. So after an answer this dialog sends nothing more.
  const submit = useOneSubmit(async (input: Omit<CreateInput, "requestId">) => {
    setFailure(null);
    try {
      setArrived({ kind: "secret", created: await create.mutateAsync({ ...input, requestId }) });
      create.reset();
      return true;
    } catch (error) {
      const reason = toCallFailure(error);
      setFailure(reason);
      // This request id cannot be used any more, or perhaps not. The next submit asks for another key.
      if (reason.code === "API_KEY_REQUEST_REUSED" || reason.code === "CONFLICT") setRequestId(newRequestId());
      return false;
    } finally {
      // Also after a failure: the key may have been created all the same.
      void queryClient.invalidateQueries({ queryKey: queries.list.queryKey });
    }
  });
  const isUnsaved = created !== null && !isSaved;
  const endGuard = useLeaveGuard({ isOn: created !== null, isAsking: isUnsaved, onBack: () => requestClose() });
  const close = () => {
    endGuard();
    setArrived(null);
    onClose();
  };
  const requestClose = () => {
    if (create.isPending) return;
    if (isUnsaved) setAskingToClose(!isAskingToClose);
    else close();
  };

  return (
    <Dialog open onOpenChange={requestClose}>
      <DialogContent
        width={created ? "xl" : "md"}
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          onClosed();
        }}
      >
        {created ? (
          <RevealSecret
            created={created}
            isSaved={isSaved}
            isAskingToClose={isAskingToClose}
            onSaved={setSaved}
            onRequestClose={requestClose}
            onKeepOpen={() => setAskingToClose(false)}
            onClose={close}
          />
        ) : blocked ? (
          <Blocked {...blocked} />
        ) : (
          <CreateKeyForm failure={failure} isPending={create.isPending} onSubmit={submit} />
        )}
      </DialogContent>
    </Dialog>
  );
}

function whyBlocked(texts: OwnerTexts, limit: ApiKeyList["limit"], access: ApiKeyList["access"]) {
  if (!access.allowed) return texts.noAccess;
  return limit.used >= limit.max ? { title: texts.limit.title(limit.max), text: texts.limit.text } : null;
}

function Blocked({ title, text }: { title: string; text: string }) {
  return (
    <>
      <div className={headerClasses}>
        <DialogTitle>{title}</DialogTitle>
        <DialogDescription>{text}</DialogDescription>
      </div>
      <div className={bodyClasses} />
      <div className={footerClasses}>
        <DialogClose asChild>
          <Button variant="secondary">{strings.close}</Button>
        </DialogClose>
      </div>
    </>
  );
}
