"use client";

import { type ReactNode, useState } from "react";

import { Button } from "../ui/button";
import { DialogDescription, DialogTitle } from "../ui/dialog";
import { bodyClasses, footerClasses, headerClasses } from "../ui/dialog-parts";
import { paths, strings } from "../strings";
import { CopyField } from "./copy-field";
import type { ArrivedSecret } from "./secret-dialog";
import { TryKey } from "./try-key";

const { reveal: texts } = strings;

interface RevealSecretProps {
  arrived: ArrivedSecret;
  note: ReactNode;
  isSaved: boolean;
  isAskingToClose: boolean;
  onSaved: (isSaved: boolean) => void;
  onRequestClose: () => void;
  onKeepOpen: () => void;
  onClose: () => void;
}

/** Shows a secret, the only time. Nobody shall leave it by accident before the secret was copied or said to be saved. */
export function RevealSecret(props: RevealSecretProps) {
  const { arrived, note, isSaved, isAskingToClose, onSaved, onRequestClose, onKeepOpen, onClose } = props;
  const { created, graceSeconds } = arrived;
  const { key, secret } = created;
  // Its first use ends the old secret's time, so the page must not be who uses it first.
  const isWaiting = graceSeconds !== null && graceSeconds > 0;
  const [outcome, setOutcome] = useState<{ what: string; isCopied: boolean } | null>(null);

  const url = `${window.location.origin}${paths.whoami}`;
  const fields = [
    { what: texts.whats.secret, label: texts.secret(key.name), text: secret, isMain: true },
    { what: texts.whats.env, label: texts.env, text: `API_KEY=${secret}` },
    {
      what: texts.whats.curl,
      label: texts.curl,
      text: `curl -H "Authorization: Bearer ${secret}" ${url}`,
    },
    {
      what: texts.whats.fetch,
      label: texts.fetch,
      text: `await fetch("${url}", { headers: { Authorization: "Bearer ${secret}" } })`,
    },
  ];

  return (
    <>
      <div className={headerClasses}>
        <DialogTitle>{texts.title}</DialogTitle>
        <DialogDescription>{texts.intro}</DialogDescription>
      </div>
      <div className={bodyClasses}>
        <div className="flex flex-col gap-4">
          {fields.map((field) => (
            <CopyField
              key={field.what}
              {...field}
              isCopied={outcome?.what === field.what && outcome.isCopied}
              onOutcome={(isCopied) => {
                setOutcome({ what: field.what, isCopied });
                if (isCopied) onSaved(true);
              }}
            />
          ))}
        </div>
        {note}
        {!isWaiting && <TryKey secret={secret} />}
        <p role="status" className="min-h-5 text-[0.8125rem] text-muted-foreground">
          {outcome && (outcome.isCopied ? texts.copiedNote : texts.refused)}
        </p>
      </div>
      {isAskingToClose ? (
        <div
          role="alertdialog"
          aria-labelledby="unsaved-title"
          aria-describedby="unsaved-text"
          className="border-t bg-warning/8 px-5 py-3"
        >
          <p id="unsaved-title" className="font-medium">
            {texts.unsaved.title}
          </p>
          <p id="unsaved-text" className="text-[0.8125rem] text-muted-foreground">
            {texts.unsaved.text}
          </p>
          <div className="mt-3 flex justify-end gap-2">
            <Button variant="destructiveGhost" onClick={onClose}>
              {texts.unsaved.close}
            </Button>
            <Button autoFocus onClick={onKeepOpen}>
              {texts.unsaved.keep}
            </Button>
          </div>
        </div>
      ) : (
        <div className={footerClasses}>
          <label className="mr-auto flex min-h-9 cursor-pointer items-center gap-2 text-[0.8125rem]">
            <input
              type="checkbox"
              className="size-4 accent-primary"
              checked={isSaved}
              onChange={(event) => onSaved(event.target.checked)}
            />
            <span>{texts.saved}</span>
          </label>
          <Button variant={isSaved ? "primary" : "secondary"} onClick={onRequestClose}>
            {strings.done}
          </Button>
        </div>
      )}
    </>
  );
}
