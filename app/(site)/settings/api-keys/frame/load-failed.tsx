"use client";

import { CloudOff } from "lucide-react";

import { Button } from "../ui/button";

import { strings } from "../strings";
import { ApiKeysFrame } from "./api-keys-frame";
import { StateCard } from "./state-card";

/** Says that the keys could not be loaded. Without `onRetry` the button loads the whole page again. */
export function LoadFailed({ onRetry }: { onRetry?: () => void }) {
  return (
    <ApiKeysFrame>
      <StateCard role="alert" Icon={CloudOff} title={strings.loadFailed.title} text={strings.loadFailed.text}>
        <Button variant="secondary" onClick={onRetry ?? (() => window.location.reload())}>
          {strings.tryAgain}
        </Button>
      </StateCard>
    </ApiKeysFrame>
  );
}
