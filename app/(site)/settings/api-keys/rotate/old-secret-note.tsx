"use client";

import { useQuery } from "@tanstack/react-query";

import { Notice } from "../ui/notice";
import type { Effect } from "latchkey";
import { useApiKeys } from "../../../../../trpc/latchkey/client";

import { EffectReceipt } from "../revoke/effect-receipt";
import type { ArrivedSecret } from "../secret/secret-dialog";
import { strings } from "../strings";
import { describeGrace } from "./describe-grace";

const { rotate: texts } = strings;

/** Beside a new secret: what becomes of the old one. */
export function OldSecretNote({ created, graceSeconds }: ArrivedSecret) {
  const { key, replaced } = created;
  if (graceSeconds === null) return null;
  if (graceSeconds > 0) return <Notice title={texts.worksOn}>{texts.worksOnText(describeGrace(graceSeconds))}</Notice>;
  if (!replaced) return null;
  return (
    <div className="flex flex-col gap-1.5 text-[0.8125rem]">
      <p className="font-medium">{texts.oldKey}</p>
      <OldSecretReceipt keyId={key.id} effect={replaced} />
    </div>
  );
}

/** How far the end of an old secret has come. What is pending follows the list, which names the secret until Redis has confirmed its end. */
export function OldSecretReceipt({ keyId, effect }: { keyId: string; effect: Effect }) {
  const { queries } = useApiKeys();
  const { data } = useQuery({ ...queries.list, enabled: false });
  const key = data?.keys.find(({ id }) => id === keyId);
  // With the key all of its secrets end, and the list then tells the key's effect alone.
  const listed = key?.status === "revoked" ? key.effect : key?.rotation?.state === "grace" ? key.rotation.effect : null;
  if (effect.status === "pending" && key?.rotation === null && key.status !== "revoked")
    return (
      <div role="status">
        <Notice variant="success" title={strings.effect.effective} />
      </div>
    );
  return <EffectReceipt effect={listed ?? effect} pendingText={texts.pending} />;
}
