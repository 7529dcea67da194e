"use client";

import { Pencil } from "lucide-react";
import { useState } from "react";

import { Button } from "../ui/button";
import type { ApiKeySummary } from "latchkey";

import { useOwner } from "../owner/use-owner";
import { strings } from "../strings";
import { RenameKey } from "./rename-key";

/** A key's name, and the way to change it in place. */
export function KeyName({ apiKey }: { apiKey: ApiKeySummary }) {
  const { canManage } = useOwner();
  const [step, setStep] = useState<"shown" | "renaming" | "shownAgain">("shown");
  if (step === "renaming") return <RenameKey apiKey={apiKey} onClose={() => setStep("shownAgain")} />;
  return (
    <span className="flex min-h-7 items-center gap-1">
      <span className="truncate text-sm font-medium" title={apiKey.name}>
        {apiKey.name}
      </span>
      {canManage && (
        <Button
          // The focus goes back to where it was before the field opened.
          autoFocus={step === "shownAgain"}
          variant="ghost"
          size="iconSm"
          aria-label={strings.rename.action(apiKey.name)}
          className="opacity-60 group-hover/row:opacity-100 focus-visible:opacity-100"
          onClick={() => setStep("renaming")}
        >
          <Pencil aria-hidden />
        </Button>
      )}
    </span>
  );
}
