"use client";

import { useState } from "react";

import { Button } from "../ui/button";
import { Spinner } from "../ui/spinner";

import { paths, strings } from "../strings";
import { useOneSubmit } from "../use-one-submit";

const { reveal: texts } = strings;

type Attempt =
  { step: "idle" | "trying" | "noAnswer" } | { step: "answered"; status: string; isOk: boolean; body: string };

/** Calls the API once with the new key, as a program does: without the session. */
export function TryKey({ secret }: { secret: string }) {
  const [attempt, setAttempt] = useState<Attempt>({ step: "idle" });
  const tryIt = useOneSubmit(async () => {
    setAttempt({ step: "trying" });
    setAttempt(await callWhoami(secret));
    // It may be tried again.
    return false;
  });
  return (
    <div className="rounded-md border bg-muted/70">
      <div className="flex items-center justify-between gap-4 p-1 pl-3">
        <p className="text-xs text-pretty text-muted-foreground">{texts.tryHint}</p>
        <Button
          variant="secondary"
          size="sm"
          className="w-20"
          aria-busy={attempt.step === "trying"}
          disabled={attempt.step === "trying"}
          onClick={() => void tryIt()}
        >
          {attempt.step === "trying" && <Spinner />}
          <span>{attempt.step === "trying" ? texts.trying : texts.tryIt}</span>
        </Button>
      </div>
      <div role="status">
        {attempt.step === "noAnswer" && (
          <p className="border-t px-3 py-2 text-xs text-destructive">{texts.tryNoAnswer}</p>
        )}
        {attempt.step === "answered" && (
          <div className="border-t px-3 py-2 font-mono text-xs leading-5" translate="no">
            <p className={attempt.isOk ? "text-success" : "text-destructive"}>{attempt.status}</p>
            <p className="break-words text-muted-foreground">{attempt.body}</p>
          </div>
        )}
      </div>
    </div>
  );
}

async function callWhoami(secret: string): Promise<Attempt> {
  try {
    const response = await fetch(paths.whoami, {
      headers: { Authorization: `Bearer ${secret}` },
      credentials: "omit",
      cache: "no-store",
    });
    const body = JSON.stringify(await response.json(), null, 1).replaceAll(/\n */g, " ");
    return { step: "answered", status: `HTTP ${response.status}`, isOk: response.ok, body };
  } catch {
    return { step: "noAnswer" };
  }
}
