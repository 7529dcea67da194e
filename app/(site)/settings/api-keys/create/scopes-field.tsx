"use client";

import { allScopes, type Scope, scopeCatalogue } from "../../../../../server/latchkey/scopes";

import { strings } from "../strings";
import { ChoiceGroup } from "../ui/choice-group";
import { FieldError } from "./field-error";

const choices = ["all", "readOnly", "custom"] as const;
export type ScopeChoice = (typeof choices)[number];

interface ScopesFieldProps {
  choice: ScopeChoice;
  onChoice: (choice: ScopeChoice) => void;
  custom: Scope[];
  onCustom: (scopes: Scope[]) => void;
  errors: string[] | undefined;
  isDisabled: boolean;
}

export function ScopesField({ choice, onChoice, custom, onCustom, errors, isDisabled }: ScopesFieldProps) {
  const toggle = (scope: Scope, isChosen: boolean) =>
    onCustom(allScopes.filter((other) => (other === scope ? isChosen : custom.includes(other))));
  return (
    <div className="flex flex-col gap-1.5">
      <ChoiceGroup
        legend={strings.create.scopes}
        choices={choices}
        labels={strings.create.scopePresets}
        value={choice}
        onChange={onChoice}
        isDisabled={isDisabled}
      />
      {choice === "custom" ? (
        <fieldset disabled={isDisabled} className="mt-0.5 divide-y rounded-md border bg-card">
          <legend className="sr-only">{strings.create.scopePresets.custom}</legend>
          {allScopes.map((scope) => (
            <label
              key={scope}
              className="flex min-h-9 cursor-pointer items-center gap-2.5 px-3 text-[0.8125rem] hover:bg-muted/60"
            >
              <input
                type="checkbox"
                className="size-4 accent-primary"
                checked={custom.includes(scope)}
                onChange={(event) => toggle(scope, event.target.checked)}
              />
              <span>{scopeCatalogue[scope]}</span>
              <code translate="no" className="ml-auto font-mono text-xs text-muted-foreground">
                {scope}
              </code>
            </label>
          ))}
        </fieldset>
      ) : (
        <p className="text-xs text-muted-foreground">{strings.create.scopePresetHints[choice]}</p>
      )}
      <FieldError messages={errors} />
    </div>
  );
}
