"use client";

import { useState } from "react";

import type { ApiKeySummary } from "latchkey";
import { useApiKeys } from "../../../../../trpc/latchkey/client";

import { SecretDialog } from "../secret/secret-dialog";
import { OldSecretNote } from "./old-secret-note";
import { RotateForm } from "./rotate-form";

interface RotateDialogProps {
  apiKey: ApiKeySummary;
  /** The old secret has leaked, so the form proposes to end it now. */
  hasLeaked: boolean;
  onClose: () => void;
  /** After the dialog has let go of the focus. */
  onClosed: () => void;
}

/** Gives a key a new secret: it asks how long the old one is to work, then shows the new one. */
export function RotateDialog({ apiKey, hasLeaked, onClose, onClosed }: RotateDialogProps) {
  const { procedures } = useApiKeys();
  // Kept as it was when the dialog opened: a choice must not come or go while somebody reads.
  const [key] = useState(apiKey);
  return (
    <SecretDialog<number>
      call={async (graceSeconds, requestId) => ({
        created: await procedures.rotate.mutate({ id: key.id, requestId, graceSeconds }),
        graceSeconds,
      })}
      form={(state) => <RotateForm apiKey={key} hasLeaked={hasLeaked} {...state} />}
      note={(arrived) => <OldSecretNote {...arrived} />}
      onClose={onClose}
      onClosed={onClosed}
    />
  );
}
