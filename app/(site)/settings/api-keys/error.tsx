"use client";

import { Bug } from "lucide-react";

import { Button } from "../../../components/ui/button";
import { ApiKeysFrame } from "./api-keys-frame";
import { StateCard } from "./state-card";
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
