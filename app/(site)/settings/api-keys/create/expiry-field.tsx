"use client";

import { useState } from "react";

import { Time } from "../time";
import { serverNow } from "../../../../../trpc/latchkey/server-time";

import { strings } from "../strings";
import { ChoiceGroup } from "../ui/choice-group";
import { FieldError } from "./field-error";

const choices = ["30", "90", "365", "never"] as const;
export type Expiry = (typeof choices)[number];

const dayMilliseconds = 86_400_000;

interface ExpiryFieldProps {
  value: Expiry;
  onChange: (value: Expiry) => void;
  errors: string[] | undefined;
  isDisabled: boolean;
}

export function ExpiryField({ value, onChange, errors, isDisabled }: ExpiryFieldProps) {
  const [openedAt] = useState(serverNow);
  return (
    <div className="flex flex-col gap-1.5">
      <ChoiceGroup
        legend={strings.create.expiry}
        choices={choices}
        labels={strings.create.expiryChoices}
        value={value}
        onChange={onChange}
        isDisabled={isDisabled}
      />
      <p className="text-xs text-muted-foreground">
        {value === "never" && <span>{strings.create.expiresNever}</span>}
        {value !== "never" && openedAt !== null && (
          <>
            <span>{strings.create.expiresOn}</span>{" "}
            <Time value={new Date(openedAt + Number(value) * dayMilliseconds)} form="date" />
          </>
        )}
      </p>
      <FieldError messages={errors} />
    </div>
  );
}
