"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import type { Effect } from "latchkey";
import { useApiKeys } from "../../../../../trpc/latchkey/client";

import { describeFailure, type FailureCode, toCallFailure } from "../call-failure";
import { useTellList } from "../list/use-tell-list";
import { useOneSubmit } from "../use-one-submit";
import { effectOfKeys } from "./effect-of-keys";
import type { RevocationTexts } from "./revocation-texts";

export type RevocationPhase =
  | { step: "confirm"; problem: string | null }
  | { step: "sending" }
  | { step: "checking" }
  /** Revoked, as the server says. */
  | { step: "revoked"; effect: Effect }
  /** The call failed, and the server could not be asked what came of it. */
  | { step: "unknown" };

interface RevocationOptions {
  /** The keys that are to be revoked. */
  ids: readonly string[];
  isAll: boolean;
  texts: RevocationTexts;
  onRevoked: (effect: Effect) => void;
}

/** Revokes, and finds out what has happened. It claims nothing that the server has not said. */
export function useRevocation({ ids, isAll, texts, onRevoked }: RevocationOptions) {
  const { procedures, queries } = useApiKeys();
  const queryClient = useQueryClient();
  const tell = useTellList();
  const revokeOne = useMutation({ mutationFn: (id: string) => procedures.revoke.mutate({ id }) });
  const revokeAll = useMutation({ mutationFn: () => procedures.revokeAll.mutate({}) });
  const [phase, setPhase] = useState<RevocationPhase>({ step: "confirm", problem: null });

  const settle = (effect: Effect): true => {
    setPhase({ step: "revoked", effect });
    onRevoked(effect);
    return true;
  };
  const fail = (problem: string): false => {
    setPhase({ step: "confirm", problem });
    return false;
  };

  /** The page says "not revoked" only after the server has said so. */
  const check = async (notRevoked: string): Promise<boolean> => {
    setPhase({ step: "checking" });
    try {
      // A request that is under way may have been answered before the revocation.
      await queryClient.cancelQueries({ queryKey: queries.list.queryKey });
      const list = await queryClient
        .getQueryCache()
        .build(queryClient, queryClient.defaultQueryOptions(queries.list))
        .fetch();
      const effect = effectOfKeys(list, ids);
      if (effect) return settle(effect);
      if (list.keys.some((key) => ids.includes(key.id))) return fail(notRevoked);
      throw new Error("the list holds none of the keys");
    } catch {
      setPhase({ step: "unknown" });
      return false;
    }
  };

  const send = async (): Promise<boolean> => {
    setPhase({ step: "sending" });
    try {
      if (isAll) {
        const { keys, effect } = await revokeAll.mutateAsync();
        tell(keys.map((key) => ({ ...key, status: "revoked" })));
        // Null when somebody else was first. The list then tells since when.
        return effect ? settle(effect) : await check(texts.notRevoked);
      }
      const { key, effect } = await revokeOne.mutateAsync(ids[0] ?? "");
      tell([key]);
      return settle(effect);
    } catch (error) {
      const failure = toCallFailure(error);
      if (refusals.has(failure.code)) return fail(describeFailure(failure, texts.failed));
      const hasAnswered = failure.code !== "NO_ANSWER" && failure.code !== "OUTCOME_UNKNOWN";
      return check(hasAnswered ? texts.notRevoked : texts.noAnswerNotRevoked);
    }
  };

  const submit = useOneSubmit(() => (phase.step === "unknown" ? check(texts.noAnswerNotRevoked) : send()));
  return { phase, submit };
}

/** The server has certainly changed nothing, and has nothing else to tell. */
const refusals: ReadonlySet<FailureCode> = new Set([
  "SIGNED_OUT",
  "OTHER_OWNER",
  "ORG_PERMISSION_REQUIRED",
  "API_KEY_NOT_FOUND",
]);
