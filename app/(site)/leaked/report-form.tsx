"use client";

import { type SyntheticEvent, useId, useRef, useState } from "react";

import { Button } from "../settings/api-keys/ui/button";
import { Input, Textarea } from "../settings/api-keys/ui/input";
import { Label } from "../settings/api-keys/ui/label";
import { Notice } from "../settings/api-keys/ui/notice";
import { Spinner } from "../settings/api-keys/ui/spinner";

import { sendReport } from "./send-report";
import { type Outcome, paths, strings } from "./strings";

const outcomes = Object.keys(strings.outcomes) as Outcome[];
const variants: Partial<Record<Outcome, "success" | "warning">> = { received: "success", partly: "warning" };

export function ReportForm() {
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [isPending, setPending] = useState(false);
  const isSending = useRef(false);
  const isSent = isPending || outcome !== null;
  const id = useId();

  const submit = async (event: SyntheticEvent<HTMLFormElement>) => {
    event.preventDefault();
    // Two clicks can come in one render on a slow machine, and both would read the same state.
    if (isSending.current) return;
    isSending.current = true;
    const form = event.currentTarget;
    setOutcome(null);
    setPending(true);
    const ended = await sendReport(new FormData(form));
    isSending.current = false;
    setPending(false);
    setOutcome(ended);
    // What was not taken stays in the form.
    if (ended === "received") form.reset();
  };

  return (
    <form
      method="post"
      action={paths.reports}
      aria-busy={isPending}
      className="mt-6 flex flex-col gap-5 rounded-lg border bg-card p-4 shadow-xs sm:p-5"
      onSubmit={(event) => void submit(event)}
    >
      {/* It is there before it has something to say: a region that appears with its text may not be spoken. Empty, it takes no room. */}
      <div role="status" className="-mb-5 not-empty:mb-0">
        {outcome && <OutcomeNotice outcome={outcome} />}
      </div>
      {/* Without JavaScript the endpoint sends the browser back to one of these. */}
      {!isSent &&
        outcomes.map((ended) => (
          <div key={ended} id={`report-${ended}`} role="status" className="hidden scroll-mt-24 target:block">
            <OutcomeNotice outcome={ended} />
          </div>
        ))}
      <div className="flex flex-col gap-1.5">
        <Label htmlFor={`${id}-text`}>{strings.text.label}</Label>
        <Textarea
          id={`${id}-text`}
          name="text"
          required
          rows={4}
          className="block min-h-24 font-mono"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          translate="no"
          aria-describedby={`${id}-text-hint`}
        />
        <p id={`${id}-text-hint`} className="text-xs text-muted-foreground">
          {strings.text.hint}
        </p>
      </div>
      <div className="flex flex-col gap-1.5">
        <Label htmlFor={`${id}-url`}>{strings.url.label}</Label>
        <Input
          id={`${id}-url`}
          name="url"
          maxLength={2048}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          translate="no"
          aria-describedby={`${id}-url-hint`}
        />
        <p id={`${id}-url-hint`} className="text-xs text-muted-foreground">
          {strings.url.hint}
        </p>
      </div>
      <Button type="submit" className="self-start" aria-busy={isPending} disabled={isPending}>
        {isPending && <Spinner />}
        <span>{isPending ? strings.submitting : strings.submit}</span>
      </Button>
    </form>
  );
}

function OutcomeNotice({ outcome }: { outcome: Outcome }) {
  const { title, text } = strings.outcomes[outcome];
  return (
    <Notice variant={variants[outcome] ?? "destructive"} title={title}>
      {text}
    </Notice>
  );
}
