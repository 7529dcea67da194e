"use client";

import { Check, Copy } from "lucide-react";
import { useId, useRef } from "react";

import { Button } from "../ui/button";
import { cn } from "../ui/cn";

import { strings } from "../strings";

interface CopyFieldProps {
  /** The word for the text, in "Copy …". */
  what: string;
  label: string;
  text: string;
  isMain?: boolean;
  isCopied: boolean;
  /** false: the clipboard was refused; the text is selected instead, for the reader to copy. */
  onOutcome: (isCopied: boolean) => void;
}

/** A text to copy. "Copied" is shown only after the clipboard has taken it. */
export function CopyField({ what, label, text, isMain = false, isCopied, onOutcome }: CopyFieldProps) {
  const id = useId();
  const inputRef = useRef<HTMLInputElement>(null);
  const copy = async () => {
    const isTaken = await writeToClipboard(text);
    if (!isTaken) {
      inputRef.current?.focus();
      inputRef.current?.select();
    }
    onOutcome(isTaken);
  };
  return (
    <div>
      <label
        htmlFor={id}
        className={cn("mb-1.5 block", isMain ? "text-[0.8125rem] font-medium" : "text-xs text-muted-foreground")}
      >
        {label}
      </label>
      <div className={cn("flex gap-2", !isMain && "rounded-md border bg-muted/70 p-1")}>
        <input
          ref={inputRef}
          id={id}
          readOnly
          translate="no"
          spellCheck={false}
          value={text}
          onFocus={(event) => event.target.select()}
          className={cn(
            "min-w-0 flex-1 font-mono text-ellipsis",
            isMain
              ? "h-9 rounded-md border border-input bg-card px-3 text-[0.8125rem] shadow-xs"
              : "h-7 rounded-sm px-2 text-xs",
          )}
        />
        <Button
          autoFocus={isMain}
          variant={isMain ? "primary" : "ghost"}
          size={isMain ? "md" : "sm"}
          aria-label={strings.reveal.copyLabel(what)}
          className={isMain ? "w-24" : "w-20"}
          onClick={() => void copy()}
        >
          {isCopied ? <Check aria-hidden /> : <Copy aria-hidden />}
          <span>{isCopied ? strings.reveal.copied : strings.reveal.copy}</span>
        </Button>
      </div>
    </div>
  );
}

async function writeToClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // The person or a policy has refused, or the origin is not secure: then the browser has no clipboard at all.
    return false;
  }
}
