"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import type { ApiKeyList, ApiKeySummary, Effect } from "@/server/api-keys";
import { useTRPC } from "@/trpc/client";

import { toCallFailure } from "./call-failure";
import { strings } from "./strings";

export type RevokePhase =
  | { step: "confirm"; problem: string | null }
  | { step: "sending" }
  | { step: "checking" }
  /** Revoked, as the server says. */
  | { step: "revoked"; effect: Effect }
  /** The call failed, and the server could not be asked what came of it. */
  | { step: "unknown" };

/** Revokes a key and finds out what is true then. Nothing is taken for granted before the server has said it. */
export function useRevoke(apiKey: ApiKeySummary) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const revoke = useMutation(trpc.apiKeys.revoke.mutationOptions());
  const [phase, setPhase] = useState<RevokePhase>({ step: "confirm", problem: null });

  const settle = (effect: Effect) => {
    setPhase({ step: "revoked", effect });
    // At once, so that no row looks active beside the receipt; the server's own list follows.
    queryClient.setQueryData(trpc.apiKeys.list.queryKey(), (list) => list && withRevoked(list, apiKey.id, effect));
    void queryClient.invalidateQueries(trpc.apiKeys.list.queryFilter());
  };

  /** Asks where the key stands. Only the server's "not revoked" lets the page say so. */
  const check = async (notRevoked: string) => {
    setPhase({ step: "checking" });
    try {
      const effect = await queryClient.query(trpc.apiKeys.effect.queryOptions({ id: apiKey.id }, { staleTime: 0 }));
      if (effect) settle(effect);
      else setPhase({ step: "confirm", problem: notRevoked });
    } catch {
      setPhase({ step: "unknown" });
    }
  };

  const send = async () => {
    setPhase({ step: "sending" });
    try {
      settle((await revoke.mutateAsync({ id: apiKey.id })).effect);
    } catch (error) {
      const failure = toCallFailure(error);
      if (failure.kind === "signedOut") setPhase({ step: "confirm", problem: strings.revoke.signedOut });
      else if (failure.kind === "refused" && failure.domainCode === "API_KEY_NOT_FOUND")
        setPhase({ step: "confirm", problem: strings.revoke.notFound });
      else await check(failure.kind === "noAnswer" ? strings.revoke.noAnswerNotRevoked : strings.revoke.notRevoked);
    }
  };

  return { phase, send, checkAgain: () => check(strings.revoke.noAnswerNotRevoked) };
}

function withRevoked(list: ApiKeyList, id: string, effect: Effect): ApiKeyList {
  const keys = list.keys.map((key) => (key.id === id ? { ...key, status: "revoked" as const, effect } : key));
  return { ...list, keys, limit: { ...list.limit, used: keys.filter((key) => key.status === "active").length } };
}
