"use client";

import { type SyntheticEvent, useState } from "react";

import { Time } from "../time";
import { Button } from "../ui/button";
import { ChoiceGroup } from "../ui/choice-group";
import { DialogClose, DialogDescription, DialogTitle } from "../ui/dialog";
import { bodyClasses, footerClasses, headerClasses } from "../ui/dialog-parts";
import { Notice } from "../ui/notice";
import { Spinner } from "../ui/spinner";
import type { ApiKeySummary } from "latchkey";

import { describeFailure } from "../call-failure";
import { KeyDisplay, LastUsed } from "../list/table-parts";
import type { SecretFormState } from "../secret/secret-dialog";
import { strings } from "../strings";
import { describeGrace } from "./describe-grace";

const { rotate: texts } = strings;

/** Seconds for which the old secret works after the first use of the new one. */
const choices = ["0", "3600", "86400", "604800"] as const;
type Grace = (typeof choices)[number];
const labels: Record<Grace, string> = {
  "0": texts.now,
  "3600": describeGrace(3_600),
  "86400": describeGrace(86_400),
  "604800": describeGrace(604_800),
};

interface RotateFormProps extends SecretFormState<number> {
  apiKey: ApiKeySummary;
  hasLeaked: boolean;
}

/** The form: when the old secret ends. While an older one is in its grace, "now" alone is possible. */
export function RotateForm({ apiKey, hasLeaked, failure, isPending, onSubmit }: RotateFormProps) {
  const { name, display, rotation, lastUsedAt, expiresAt } = apiKey;
  const isInGrace = rotation?.state === "grace";
  const [grace, setGrace] = useState<Grace>(hasLeaked || isInGrace ? "0" : "86400");
  const isNow = grace === "0";
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    void onSubmit(Number(grace));
  };
  return (
    <form noValidate aria-busy={isPending} onSubmit={submit}>
      <div className={headerClasses}>
        <DialogTitle>{texts.title(name)}</DialogTitle>
        <DialogDescription>{texts.intro}</DialogDescription>
      </div>
      <div className={bodyClasses}>
        {failure && (
          <Notice role="alert" variant="destructive">
            <span className="text-foreground">{describeFailure(failure, texts.failed)}</span>
          </Notice>
        )}
        <p className="flex flex-wrap items-baseline gap-x-2 text-[0.8125rem]">
          <span>{texts.current}</span>
          <KeyDisplay display={display} />
          <span className="text-muted-foreground">
            <LastUsed at={lastUsedAt} />
          </span>
        </p>
        {rotation?.state === "waiting" && (
          <Notice title={texts.waits}>
            <KeyDisplay display={rotation.display} />
          </Notice>
        )}
        {rotation?.state === "grace" ? (
          <Notice title={texts.onlyNow}>
            <span>{texts.onlyNowUntil}</span> <Time value={rotation.endsAt} form="dateTime" />
          </Notice>
        ) : (
          <ChoiceGroup
            autoFocus
            legend={texts.legend}
            choices={choices}
            labels={labels}
            value={grace}
            onChange={setGrace}
            isDisabled={isPending}
          />
        )}
        <div className="text-[0.8125rem] text-pretty">
          {isNow ? (
            <Notice variant="warning" title={texts.nowTitle}>
              {texts.nowText}
            </Notice>
          ) : (
            <p className="text-muted-foreground">{texts.later(labels[grace])}</p>
          )}
          {expiresAt && (
            <p className="mt-2 text-muted-foreground">
              <span>{texts.expires}</span> <Time value={expiresAt} form="date" />
            </p>
          )}
        </div>
      </div>
      <div className={footerClasses}>
        <DialogClose asChild>
          <Button variant="secondary" disabled={isPending}>
            {strings.cancel}
          </Button>
        </DialogClose>
        <Button type="submit" variant={isNow ? "destructive" : "primary"} aria-busy={isPending} disabled={isPending}>
          {isPending && <Spinner />}
          <span>{isPending ? texts.submitting : isNow ? texts.submitNow : texts.submit}</span>
        </Button>
      </div>
    </form>
  );
}
