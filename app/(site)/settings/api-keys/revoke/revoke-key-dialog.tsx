"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { Time } from "@/app/components/time";
import type { ApiKeyList, ApiKeySummary, Effect } from "@/server/api-keys";
import { useTRPC } from "@/trpc/client";

import { useArrived } from "../arrived";
import { strings } from "../strings";
import { hasLooks } from "./looks-like";
import { EffectReceipt, receiptPollMilliseconds } from "./effect-receipt";
import { RevokeDialog, wasUsedRecently } from "./revoke-dialog";
import { useRevocation } from "./use-revocation";

const { revoke: texts } = strings;

interface RevokeKeyDialogProps {
  apiKey: ApiKeySummary;
  onClose: () => void;
  /** After the dialog has let go of the focus. */
  onClosed: () => void;
}

export function RevokeKeyDialog({ apiKey, onClose, onClosed }: RevokeKeyDialogProps) {
  const { id, name, lastUsedAt } = apiKey;
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [, setArrived] = useArrived();
  const { mutateAsync } = useMutation(trpc.apiKeys.revoke.mutationOptions());
  const revocation = useRevocation({
    texts,
    revoke: async () => (await mutateAsync({ id })).effect,
    ask: () => queryClient.query(trpc.apiKeys.effect.queryOptions({ id }, { staleTime: 0 })),
    onRevoked(effect) {
      setArrived({ kind: "receipt", title: texts.receiptTitle(name), effect, pendingText: texts.pending });
      // At once, so that no row looks active beside the receipt; the server's own list follows.
      queryClient.setQueryData(trpc.apiKeys.list.queryKey(), (list) => list && withRevoked(list, id, effect));
      void queryClient.invalidateQueries(trpc.apiKeys.list.queryFilter());
    },
  });
  const isRecent = wasUsedRecently(apiKey);
  return (
    <RevokeDialog
      title={texts.title(name)}
      text={texts.text}
      submit={texts.submit}
      confirmWord={isRecent && hasLooks(name) ? name : null}
      revocation={revocation}
      receiptTitle={texts.receiptTitle(name)}
      receipt={revocation.phase.step === "revoked" && <Receipt id={id} effect={revocation.phase.effect} />}
      onClose={onClose}
      onClosed={onClosed}
    >
      <p className="text-[0.8125rem]">
        {lastUsedAt ? (
          <>
            <span>{texts.lastUsed}</span> <Time value={lastUsedAt} form="relative" />
            {isRecent && <span>{` · ${texts.recentlyUsed}`}</span>}
          </>
        ) : (
          texts.neverUsed
        )}
      </p>
    </RevokeDialog>
  );
}

/** Asks until the purge is confirmed. Once effective, always effective: nothing more to ask. */
function Receipt({ id, effect }: { id: string; effect: Effect }) {
  const trpc = useTRPC();
  const { data } = useQuery(
    trpc.apiKeys.effect.queryOptions(
      { id },
      {
        initialData: effect,
        staleTime: Infinity,
        refetchInterval: ({ state }) => (state.data?.status === "effective" ? false : receiptPollMilliseconds),
      },
    ),
  );
  return <EffectReceipt effect={data ?? effect} pendingText={texts.pending} />;
}

function withRevoked(list: ApiKeyList, id: string, effect: Effect): ApiKeyList {
  const keys = list.keys.map((key) => (key.id === id ? { ...key, status: "revoked" as const, effect } : key));
  return { ...list, keys, limit: { ...list.limit, used: keys.filter((key) => key.status === "active").length } };
}
