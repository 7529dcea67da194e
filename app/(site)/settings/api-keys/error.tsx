"use client";

import { Bug } from "lucide-react";

import { formatTime } from "./time";
import { Button } from "./ui/button";
import { Notice } from "./ui/notice";

import { type Arrived, useArrived } from "./arrived";
import { ApiKeysFrame } from "./frame/api-keys-frame";
import { StateCard } from "./frame/state-card";
import { strings } from "./strings";

const { crash: texts } = strings;

export default function ApiKeysError({ reset }: { error: Error; reset: () => void }) {
  const [arrived, setArrived] = useArrived();
  const again = () => {
    // The list tells the same as a receipt. A secret is shown nowhere else, so it is shown here again.
    if (arrived?.kind === "receipt") setArrived(null);
    reset();
  };
  return (
    <ApiKeysFrame>
      {arrived && <WhatArrived arrived={arrived} />}
      <StateCard role="alert" Icon={Bug} title={texts.title} text={texts.text}>
        <Button variant="secondary" onClick={again}>
          {strings.tryAgain}
        </Button>
      </StateCard>
    </ApiKeysFrame>
  );
}

/** Shows the secret in plain elements, since the component that usually shows it may have crashed. */
function WhatArrived({ arrived }: { arrived: Arrived }) {
  if (arrived.kind === "receipt") {
    const { title, effect, pendingText } = arrived;
    const isEffective = effect.status === "effective";
    const text = isEffective ? strings.effect.effective : pendingText(formatTime(effect.guaranteedBy));
    return (
      <Notice role="status" variant={isEffective ? "success" : "warning"} className="mb-4" title={title}>
        {text}
      </Notice>
    );
  }
  const { key, secret } = arrived.created;
  return (
    <label className="mb-4 flex flex-col gap-1.5 text-[0.8125rem]">
      <span className="font-medium">{texts.secret(key.name)}</span>
      <input
        readOnly
        translate="no"
        value={secret}
        onFocus={(event) => event.target.select()}
        className="h-9 rounded-md border border-input bg-card px-3 font-mono"
      />
    </label>
  );
}
