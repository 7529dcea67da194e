"use client";

import { Bug } from "lucide-react";

import { Button } from "@/app/components/ui/button";

import { ApiKeysFrame } from "./frame/api-keys-frame";
import { StateCard } from "./frame/state-card";
import { strings } from "./strings";

export default function ApiKeysError({ reset }: { error: Error; reset: () => void }) {
  return (
    <ApiKeysFrame>
      <StateCard role="alert" Icon={Bug} title={strings.crash.title} text={strings.crash.text}>
        <Button variant="secondary" onClick={reset}>
          {strings.tryAgain}
        </Button>
      </StateCard>
    </ApiKeysFrame>
  );
}
