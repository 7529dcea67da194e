"use client";

import { type SyntheticEvent, useEffect, useId, useRef, useState } from "react";

import { Button } from "../ui/button";
import { DialogClose, DialogDescription, DialogTitle } from "../ui/dialog";
import { bodyClasses, footerClasses, headerClasses } from "../ui/dialog-parts";
import { Input } from "../ui/input";
import { Label } from "../ui/label";
import { Notice } from "../ui/notice";
import { Spinner } from "../ui/spinner";
import type { ApiKeySummary } from "latchkey";
import type { CreateInput } from "latchkey/shared";
import { allScopes, type Scope, scopePresets } from "../../../../../server/latchkey/scopes";

import { describeFailure } from "../call-failure";
import type { SecretFormState } from "../secret/secret-dialog";
import { strings } from "../strings";
import { type Expiry, ExpiryField } from "./expiry-field";
import { FieldError } from "./field-error";
import { type ScopeChoice, ScopesField } from "./scopes-field";

const { create: texts } = strings;

interface CreateKeyFormProps extends SecretFormState<Omit<CreateInput, "requestId">> {
  /** A key whose name and permissions are proposed. */
  like: ApiKeySummary | null;
}

/** The form: name, expiry, permissions. The server says what is wrong with them. What was entered stays after a failure. */
export function CreateKeyForm({ failure, isPending, onSubmit, like }: CreateKeyFormProps) {
  const [name, setName] = useState(like?.name ?? "");
  const [expiry, setExpiry] = useState<Expiry>("90");
  const [choice, setChoice] = useState<ScopeChoice>(like ? choiceOf(like.scopes) : "all");
  const [customScopes, setCustomScopes] = useState<Scope[]>(like ? knownOf(like.scopes) : scopePresets.readOnly);
  const [submittedName, setSubmittedName] = useState("");
  const [lacksScope, setLacksScope] = useState(false);
  const nameRef = useRef<HTMLInputElement>(null);
  const nameId = useId();

  const errors = failure?.fieldErrors ?? {};
  const hasFieldErrors = Object.keys(errors).length > 0;
  // The message is about the name that was sent. It goes when the name is changed, since nobody has checked the new one.
  const nameErrors = name === submittedName ? errors.name : undefined;
  useEffect(() => {
    if (failure?.fieldErrors.name) nameRef.current?.focus();
  }, [failure]);

  const submit = async (event: SyntheticEvent) => {
    event.preventDefault();
    const scopes = choice === "custom" ? customScopes : scopePresets[choice];
    setLacksScope(scopes.length === 0);
    if (scopes.length === 0) return;
    setSubmittedName(name);
    await onSubmit({ name, scopes, ...(expiry !== "never" && { expiresInDays: Number(expiry) }) });
  };

  return (
    <form noValidate aria-busy={isPending} onSubmit={(event) => void submit(event)}>
      <div className={headerClasses}>
        <DialogTitle>{texts.title}</DialogTitle>
        <DialogDescription>{texts.intro}</DialogDescription>
      </div>
      <div className={bodyClasses}>
        {failure && !hasFieldErrors && (
          <Notice role="alert" variant="destructive">
            <span className="text-foreground">{describeFailure(failure, strings.createFailed)}</span>
          </Notice>
        )}
        <div className="flex flex-col gap-1.5">
          <Label htmlFor={nameId}>{texts.name}</Label>
          <Input
            ref={nameRef}
            id={nameId}
            autoFocus
            autoComplete="off"
            // No maxLength: it would cut a pasted name without telling anybody.
            value={name}
            readOnly={isPending}
            aria-invalid={nameErrors !== undefined}
            aria-describedby={`${nameId}-note`}
            onChange={(event) => setName(event.target.value)}
          />
          <FieldError id={`${nameId}-note`} messages={nameErrors} hint={texts.nameHint} />
        </div>
        <ExpiryField value={expiry} onChange={setExpiry} errors={errors.expiresInDays} isDisabled={isPending} />
        <ScopesField
          choice={choice}
          onChoice={setChoice}
          custom={customScopes}
          onCustom={setCustomScopes}
          errors={lacksScope ? [texts.chooseScope] : errors.scopes}
          isDisabled={isPending}
        />
      </div>
      <div className={footerClasses}>
        <DialogClose asChild>
          <Button variant="secondary" disabled={isPending}>
            {strings.cancel}
          </Button>
        </DialogClose>
        <Button type="submit" aria-busy={isPending} disabled={isPending}>
          {isPending && <Spinner />}
          <span>{isPending ? texts.submitting : texts.submit}</span>
        </Button>
      </div>
    </form>
  );
}

/** Without those that are no longer in the catalogue. */
const knownOf = (scopes: readonly string[]) => allScopes.filter((scope) => scopes.includes(scope));

function choiceOf(scopes: readonly string[]): ScopeChoice {
  const isPreset = (preset: readonly Scope[]) =>
    preset.length === scopes.length && preset.every((scope) => scopes.includes(scope));
  return (["all", "readOnly"] as const).find((name) => isPreset(scopePresets[name])) ?? "custom";
}
