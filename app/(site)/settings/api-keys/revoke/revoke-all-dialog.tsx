"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import type { ApiKeyList, ApiKeySummary, Effect } from "@/server/api-keys";
import { weakestEffect } from "@/server/api-keys/weakest-effect";
import { useTRPC } from "@/trpc/client";

import { useArrived } from "../arrived";
import { LastUsed } from "../list/table-parts";
import { strings } from "../strings";
import { EffectReceipt, receiptPollMilliseconds } from "./effect-receipt";
import { RevokeDialog, wasUsedRecently } from "./revoke-dialog";
import { useRevocation } from "./use-revocation";

const { revokeAll: texts } = strings;

interface RevokeAllDialogProps {
  /** Those that are not revoked yet. */
  keys: ApiKeySummary[];
  onClose: () => void;
  onClosed: () => void;
}

/** For when a key has leaked and nobody knows which: one confirmation, one transaction, one receipt. */
export function RevokeAllDialog(props: RevokeAllDialogProps) {
  const { onClose, onClosed } = props;
  // As they were when the dialog opened: once they are revoked, the list has none of them left.
  const [keys] = useState(props.keys);
  const ids = keys.map((key) => key.id);
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [, setArrived] = useArrived();
  const { mutateAsync } = useMutation(trpc.apiKeys.revokeAll.mutationOptions());
  const revocation = useRevocation({
    texts,
    revoke: async () => (await mutateAsync({})).effect,
    async ask() {
      const list = await queryClient.query(trpc.apiKeys.list.queryOptions(undefined, { staleTime: 0 }));
      const isAnyLeft = list.keys.some((key) => ids.includes(key.id) && key.effect === null);
      if (isAnyLeft) return null;
      const effect = effectOfAll(list, ids);
      if (!effect) throw new Error("the list does not hold all of the keys");
      return effect;
    },
    onRevoked(effect) {
      setArrived({ kind: "receipt", title: texts.receiptTitle(keys.length), effect, pendingText: texts.pending });
      void queryClient.invalidateQueries(trpc.apiKeys.list.queryFilter());
    },
  });
  const isRecent = keys.some(wasUsedRecently);
  return (
    <RevokeDialog
      title={texts.title(keys.length)}
      text={texts.text}
      submit={texts.submit}
      confirmWord={isRecent ? texts.confirmWord : null}
      revocation={revocation}
      receiptTitle={texts.receiptTitle(keys.length)}
      receipt={revocation.phase.step === "revoked" && <Receipt ids={ids} effect={revocation.phase.effect} />}
      onClose={onClose}
      onClosed={onClosed}
    >
      <ul className="divide-y rounded-md border bg-card text-[0.8125rem]">
        {keys.map(({ id, name, lastUsedAt }) => (
          <li key={id} className="flex flex-wrap items-baseline justify-between gap-x-4 px-3 py-2">
            <span className="min-w-0 truncate font-medium">{name}</span>
            <span className="text-xs text-muted-foreground">
              <LastUsed at={lastUsedAt} />
            </span>
          </li>
        ))}
      </ul>
      {isRecent && <p className="text-[0.8125rem]">{texts.recentlyUsed}</p>}
    </RevokeDialog>
  );
}

function Receipt({ ids, effect }: { ids: readonly string[]; effect: Effect }) {
  const trpc = useTRPC();
  const { data: list } = useQuery(
    trpc.apiKeys.list.queryOptions(undefined, {
      refetchInterval: ({ state }) =>
        state.data && effectOfAll(state.data, ids)?.status === "effective" ? false : receiptPollMilliseconds,
    }),
  );
  // Until the list knows of the revocation, what the server has answered stands.
  return <EffectReceipt effect={(list && effectOfAll(list, ids)) ?? effect} pendingText={texts.pending} />;
}

/** The weakest effect of these keys; null while the list does not hold all of them as revoked. */
function effectOfAll(list: ApiKeyList, ids: readonly string[]): Effect | null {
  const effects = ids.flatMap((id) => list.keys.find((key) => key.id === id)?.effect ?? []);
  return effects.length === ids.length ? weakestEffect(effects) : null;
}
