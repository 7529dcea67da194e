"use client";

import { useState } from "react";

import { Button } from "../ui/button";
import { DialogClose, DialogDescription, DialogTitle } from "../ui/dialog";
import { bodyClasses, footerClasses, headerClasses } from "../ui/dialog-parts";
import type { ApiKeyList, ApiKeySummary } from "latchkey";
import type { CreateInput } from "latchkey/shared";
import { useApiKeys } from "../../../../../trpc/latchkey/client";

import { useOwner } from "../owner/use-owner";
import { SecretDialog } from "../secret/secret-dialog";
import { type OwnerTexts, strings } from "../strings";
import { CreateKeyForm } from "./create-key-form";

interface CreateKeyDialogProps {
  limit: ApiKeyList["limit"];
  access: ApiKeyList["access"];
  /** The key that the new one shall replace. */
  like: ApiKeySummary | null;
  onClose: () => void;
  /** After the dialog has let go of the focus. */
  onClosed: () => void;
}

/** Creates one key: it shows the form, then the secret. */
export function CreateKeyDialog({ limit, access, like, onClose, onClosed }: CreateKeyDialogProps) {
  const { procedures } = useApiKeys();
  const { texts } = useOwner();
  // Kept as it was when the dialog opened, since the key that it creates may be the last one allowed.
  const [blocked] = useState(() => whyBlocked(texts, limit, access));
  return (
    <SecretDialog<Omit<CreateInput, "requestId">>
      call={async (input, requestId) => ({
        created: await procedures.create.mutate({ ...input, requestId }),
        graceSeconds: null,
      })}
      form={(state) => (blocked ? <Blocked {...blocked} /> : <CreateKeyForm {...state} like={like} />)}
      onClose={onClose}
      onClosed={onClosed}
    />
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
