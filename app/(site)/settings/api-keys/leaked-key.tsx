"use client";

import { ShieldAlert } from "lucide-react";
import { type Ref, useId, useState } from "react";

import { Button } from "./ui/button";
import { Textarea } from "./ui/input";
import { Label } from "./ui/label";
import { Notice } from "./ui/notice";
import type { ApiKeySummary } from "latchkey";

import { identifyKey } from "./identify-key";
import { rowId } from "./list/key-table";
import { useOwner } from "./owner/use-owner";
import { strings } from "./strings";

const { leaked: texts } = strings;

interface LeakedKeyProps {
  keys: ApiKeySummary[];
  /** Absent: the plan has no access, so no key can be rotated. */
  onRotate: ((key: ApiKeySummary) => void) | undefined;
  onEndSecret: (key: ApiKeySummary) => void;
  onRevoke: (key: ApiKeySummary) => void;
  onRevokeAll: () => void;
  revokeAllRef: Ref<HTMLButtonElement>;
}

/** For somebody who has found a key where it should not be. It says which key that is, and can revoke all keys. */
export function LeakedKey({ onRevokeAll, revokeAllRef, ...answer }: LeakedKeyProps) {
  const { keys } = answer;
  const [text, setText] = useState("");
  const id = useId();
  const { canManage } = useOwner();
  const canRevokeAll = canManage && keys.some((key) => key.status !== "revoked");
  return (
    <section aria-labelledby={`${id}-title`} className="mt-8 rounded-lg border bg-card p-4 shadow-xs sm:p-5">
      <h2 id={`${id}-title`} className="flex items-center gap-2 text-[0.9375rem] font-semibold">
        <ShieldAlert aria-hidden className="size-4 text-muted-foreground" />
        <span>{texts.title}</span>
      </h2>
      <p id={`${id}-intro`} className="mt-1 text-[0.8125rem] text-pretty text-muted-foreground">
        {texts.intro}
      </p>
      <div className="mt-4 flex flex-wrap items-end gap-x-6 gap-y-4">
        <div className="min-w-0 flex-1 basis-72">
          <Label htmlFor={`${id}-field`}>{texts.field}</Label>
          <Textarea
            id={`${id}-field`}
            rows={1}
            className="mt-1.5 block font-mono"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            translate="no"
            aria-describedby={`${id}-intro`}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
        {canRevokeAll && (
          <div className="flex items-center gap-3">
            <span className="text-[0.8125rem] text-muted-foreground">{texts.all}</span>
            <Button ref={revokeAllRef} variant="destructiveOutline" onClick={onRevokeAll}>
              {strings.revokeAll.action}
            </Button>
          </div>
        )}
      </div>
      <div role="status" className="not-empty:mt-4">
        {text.trim() !== "" && <Answer text={text} {...answer} />}
      </div>
    </section>
  );
}

type AnswerProps = { text: string } & Omit<LeakedKeyProps, "onRevokeAll" | "revokeAllRef">;

function Answer({ text, keys, onRotate, onEndSecret, onRevoke }: AnswerProps) {
  const { canManage, texts: ownerTexts } = useOwner();
  const identified = identifyKey(text, keys);
  if (identified.kind !== "found") return <Notice title={texts[identified.kind]} />;
  const { key, secret } = identified;
  const isToBeAsked = !canManage && key.status === "active";
  const isRevocable = canManage && key.status !== "revoked";
  const isCurrent = secret === "current";
  const isEnding = key.rotation?.state === "grace" && key.rotation.effect !== null;
  return (
    <Notice
      variant={key.effect?.status === "effective" ? "success" : "warning"}
      title={texts[isToBeAsked ? "seen" : isCurrent ? key.status : isEnding ? "ending" : secret](key.name)}
      action={
        <span className="ml-auto flex flex-wrap items-center justify-end gap-2">
          <Button variant="secondary" size="sm" onClick={() => pointOut(key)}>
            {texts.show}
          </Button>
          {canManage && !isCurrent && !isEnding && (
            <Button variant="destructive" size="sm" onClick={() => onEndSecret(key)}>
              {strings.endSecret[secret].submit}
            </Button>
          )}
          {isCurrent && key.status === "active" && onRotate && (
            <Button variant="secondary" size="sm" onClick={() => onRotate(key)}>
              {strings.rotate.submit}
            </Button>
          )}
          {isCurrent && isRevocable && (
            <Button variant="destructive" size="sm" onClick={() => onRevoke(key)}>
              {strings.revoke.submit}
            </Button>
          )}
        </span>
      }
    >
      {isToBeAsked ? ownerTexts.seeingOnly.whomToAsk : undefined}
    </Notice>
  );
}

/** Scrolls to the key's row and moves the focus there. */
function pointOut(key: ApiKeySummary) {
  const row = document.getElementById(rowId(key));
  row?.scrollIntoView({ block: "center" });
  row?.focus();
}
