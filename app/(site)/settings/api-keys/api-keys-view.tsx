"use client";

import { KeyRound, Plus } from "lucide-react";
import Link from "next/link";
import { useRef, useState } from "react";

import { formatTime } from "./time";
import { Button } from "./ui/button";
import { Notice } from "./ui/notice";
import type { ApiKeyList, ApiKeySummary } from "latchkey";
import { toServerTime } from "../../../../trpc/latchkey/server-time";

import { useArrived } from "./arrived";
import { toCallFailure } from "./call-failure";
import { CreateKeyDialog } from "./create/create-key-dialog";
import { ApiKeysFrame } from "./frame/api-keys-frame";
import { AccountSwitched } from "./frame/account-switched";
import { SessionEnded } from "./frame/session-ended";
import { StateCard } from "./frame/state-card";
import { LeakedKey } from "./leaked-key";
import { KeyTable, revokeButtonId, rotateButtonId } from "./list/key-table";
import { RevokedKeys } from "./list/revoked-keys";
import { useListNow } from "./list/use-list-now";
import { useVisitedList } from "./list/use-visited-list";
import { OwnerProvider } from "./owner/use-owner";
import { RevokeDialog } from "./revoke/revoke-dialog";
import { EndSecretDialog } from "./rotate/end-secret-dialog";
import { RotateDialog } from "./rotate/rotate-dialog";
import { type OwnerTexts, paths, strings, textsOf } from "./strings";

/** @param renderedAt when the server made this page, in milliseconds since 1970. */
export function ApiKeysView({ renderedAt }: { renderedAt: number }) {
  const { list, standing } = useVisitedList(renderedAt);
  const { owner, canManage, keys, limit, access } = useListNow(list.data, () => void list.refetch());
  const texts = textsOf(owner);
  const [arrived] = useArrived();
  // After a crash the dialog comes back with the secret that it showed.
  const shown = arrived?.kind === "secret" ? arrived : null;
  const [creating, setCreating] = useState<{ like: ApiKeySummary | null } | null>(
    shown?.graceSeconds === null ? { like: null } : null,
  );
  const [revoking, setRevoking] = useState<{ key: ApiKeySummary; next: ApiKeySummary | undefined } | null>(null);
  const [rotating, setRotating] = useState<{ key: ApiKeySummary; hasLeaked: boolean } | null>(
    shown && shown.graceSeconds !== null ? { key: shown.created.key, hasLeaked: false } : null,
  );
  const [endingSecretOf, setEndingSecretOf] = useState<ApiKeySummary | null>(null);
  const [isRevokingAll, setRevokingAll] = useState(false);
  const revokeAllRef = useRef<HTMLButtonElement>(null);
  const headingRef = useRef<HTMLHeadingElement>(null);
  const createRef = useRef<HTMLButtonElement>(null);

  const asOf = toServerTime(list.dataUpdatedAt);
  const failure = list.error && toCallFailure(list.error).code;
  const current = keys.filter((key) => key.status !== "revoked");
  const revoked = keys.filter((key) => key.status === "revoked");

  // The next row as it is now: once the key is revoked, its own row is gone.
  const startRevoking = (key: ApiKeySummary) => setRevoking({ key, next: current[current.indexOf(key) + 1] });
  // Whether a new secret may be made, by creating or by rotating.
  const mayMint = canManage && access.allowed;
  const focusRow = (key: ApiKeySummary) =>
    (document.getElementById(rotateButtonId(key)) ?? headingRef.current)?.focus();
  const focusAfterRevoke = ({ key, next }: NonNullable<typeof revoking>) => {
    const target =
      document.getElementById(revokeButtonId(key)) ?? (next && document.getElementById(revokeButtonId(next)));
    (target ?? headingRef.current)?.focus();
  };
  return (
    <OwnerProvider owner={owner} canManage={canManage}>
      {failure === "SIGNED_OUT" ? (
        <SessionEnded />
      ) : failure === "OTHER_OWNER" ? (
        <AccountSwitched />
      ) : (
        <ApiKeysFrame
          headingRef={headingRef}
          owner={owner}
          action={
            <>
              <span className="text-[0.8125rem] text-muted-foreground tabular-nums">
                {standing === "checked" ? strings.count(limit.used, limit.max) : strings.status[standing]}
              </span>
              <Link
                href={paths.history}
                prefetch={false}
                className="rounded-sm text-[0.8125rem] text-muted-foreground underline underline-offset-4 hover:text-foreground"
              >
                {strings.history.title}
              </Link>
              {canManage && (
                <Button ref={createRef} onClick={() => setCreating({ like: null })}>
                  <Plus aria-hidden />
                  <span>{strings.createKey}</span>
                </Button>
              )}
            </>
          }
        >
          <div className="flex flex-col gap-4">
            {!canManage && <Notice>{texts.seeingOnly.text}</Notice>}
            {!access.allowed && (
              <Notice variant="warning" title={texts.noAccess.title}>
                {texts.noAccess.text}
              </Notice>
            )}
            {list.isError && (
              <Notice
                role="alert"
                variant="destructive"
                title={strings.refreshFailed.title}
                action={
                  <Button variant="secondary" size="sm" onClick={() => void list.refetch()}>
                    {strings.tryAgain}
                  </Button>
                }
              >
                {asOf ? strings.refreshFailed.text(formatTime(asOf)) : strings.refreshFailed.textWithoutTime}
              </Notice>
            )}
            {current.length > 0 ? (
              <KeyTable
                keys={current}
                standing={standing}
                onRotate={mayMint ? (key) => setRotating({ key, hasLeaked: false }) : undefined}
                onEndSecret={setEndingSecretOf}
                onRevoke={startRevoking}
              />
            ) : (
              <StateCard Icon={KeyRound} {...emptyTexts(texts, access, revoked)}>
                {canManage && access.allowed && revoked.length === 0 ? (
                  <Button variant="secondary" onClick={() => setCreating({ like: null })}>
                    {strings.createFirstKey}
                  </Button>
                ) : undefined}
              </StateCard>
            )}
          </div>
          {keys.length > 0 && (
            <LeakedKey
              keys={keys}
              onRotate={mayMint ? (key) => setRotating({ key, hasLeaked: true }) : undefined}
              onEndSecret={setEndingSecretOf}
              onRevoke={startRevoking}
              onRevokeAll={() => setRevokingAll(true)}
              revokeAllRef={revokeAllRef}
            />
          )}
          {revoked.length > 0 && (
            <RevokedKeys keys={revoked} onReplace={mayMint ? (like) => setCreating({ like }) : undefined} />
          )}
        </ApiKeysFrame>
      )}
      {/* Outside of the list, so that a secret stays on the screen whatever happens to the list. */}
      {creating && (
        <CreateKeyDialog
          limit={limit}
          access={access}
          like={creating.like}
          onClose={() => setCreating(null)}
          onClosed={() => createRef.current?.focus()}
        />
      )}
      {rotating && (
        <RotateDialog
          apiKey={rotating.key}
          hasLeaked={rotating.hasLeaked}
          onClose={() => setRotating(null)}
          onClosed={() => focusRow(rotating.key)}
        />
      )}
      {endingSecretOf && (
        <EndSecretDialog
          apiKey={endingSecretOf}
          onClose={() => setEndingSecretOf(null)}
          onClosed={() => focusRow(endingSecretOf)}
        />
      )}
      {revoking && (
        <RevokeDialog
          target={{ one: revoking.key }}
          keys={keys}
          onClose={() => setRevoking(null)}
          onClosed={() => focusAfterRevoke(revoking)}
        />
      )}
      {isRevokingAll && (
        <RevokeDialog
          target={{ all: current }}
          keys={keys}
          onClose={() => setRevokingAll(false)}
          onClosed={() => (revokeAllRef.current ?? headingRef.current)?.focus()}
        />
      )}
    </OwnerProvider>
  );
}

function emptyTexts(texts: OwnerTexts, access: ApiKeyList["access"], revoked: ApiKeySummary[]) {
  if (!access.allowed) return texts.emptyWithoutAccess;
  return revoked.length > 0 ? texts.onlyRevoked : texts.empty;
}
