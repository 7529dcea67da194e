"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Check, X } from "lucide-react";
import { type SyntheticEvent, useId, useState } from "react";

import { Button } from "../ui/button";
import { Input } from "../ui/input";
import { Spinner } from "../ui/spinner";
import { confirmInToast } from "../ui/toaster";
import type { ApiKeySummary } from "latchkey";
import { normaliseName } from "latchkey/shared";
import { useApiKeys } from "../../../../../trpc/latchkey/client";

import { describeFailure, toCallFailure } from "../call-failure";
import { strings } from "../strings";
import { useOneSubmit } from "../use-one-submit";

/** Edits a name in its row. Enter saves, and Escape restores. The name in the list changes only after the server has answered. */
export function RenameKey({ apiKey, onClose }: { apiKey: ApiKeySummary; onClose: () => void }) {
  const { procedures, queries } = useApiKeys();
  const queryClient = useQueryClient();
  const rename = useMutation({
    mutationFn: (input: { id: string; name: string }) => procedures.rename.mutate(input),
  });
  const [name, setName] = useState(apiKey.name);
  const [problem, setProblem] = useState<string | null>(null);
  const problemId = useId();

  const save = useOneSubmit(async () => {
    if ([name, normaliseName(name)].includes(apiKey.name)) {
      onClose();
      return true;
    }
    setProblem(null);
    try {
      const renamed = await rename.mutateAsync({ id: apiKey.id, name });
      queryClient.setQueryData(queries.list.queryKey, (list) =>
        list ? { ...list, keys: list.keys.map((key) => (key.id === renamed.id ? renamed : key)) } : list,
      );
      confirmInToast(strings.rename.renamed(renamed.name));
      onClose();
      return true;
    } catch (error) {
      setProblem(describe(error));
      // The name may have changed all the same.
      void queryClient.invalidateQueries({ queryKey: queries.list.queryKey });
      return false;
    }
  });

  return (
    <form
      className="-my-1 flex max-w-sm flex-wrap items-center gap-1"
      noValidate
      aria-busy={rename.isPending}
      onSubmit={(event: SyntheticEvent) => {
        event.preventDefault();
        void save();
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape" && !rename.isPending) onClose();
      }}
    >
      <Input
        autoFocus
        autoComplete="off"
        size="sm"
        aria-label={strings.rename.field(apiKey.name)}
        aria-invalid={problem !== null}
        aria-describedby={problem === null ? undefined : problemId}
        value={name}
        readOnly={rename.isPending}
        onFocus={(event) => event.target.select()}
        onChange={(event) => setName(event.target.value)}
      />
      <Button type="submit" variant="ghost" size="icon" aria-label={strings.rename.save} aria-busy={rename.isPending}>
        {rename.isPending ? <Spinner /> : <Check aria-hidden />}
      </Button>
      <Button
        variant="ghost"
        size="icon"
        aria-label={strings.rename.cancel}
        disabled={rename.isPending}
        onClick={onClose}
      >
        <X aria-hidden />
      </Button>
      {problem !== null && (
        <p id={problemId} role="alert" className="basis-full text-xs whitespace-normal text-destructive">
          {problem}
        </p>
      )}
    </form>
  );
}

function describe(error: unknown): string {
  const failure = toCallFailure(error);
  return failure.fieldErrors.name?.[0] ?? describeFailure(failure, strings.rename.failed);
}
