"use client";

import { useState } from "react";

import type { Effect } from "@/server/api-keys";

import { toCallFailure } from "../call-failure";
import { useOneSubmit } from "../use-one-submit";

export type RevocationPhase =
  | { step: "confirm"; problem: string | null }
  | { step: "sending" }
  | { step: "checking" }
  /** Revoked, as the server says. */
  | { step: "revoked"; effect: Effect }
  /** The call failed, and the server could not be asked what came of it. */
  | { step: "unknown" };

interface RevocationOptions {
  texts: Record<"notRevoked" | "noAnswerNotRevoked" | "notFound" | "signedOut" | "unknown", string>;
  revoke: () => Promise<Effect>;
  /** Asks where the revocation stands: null when the server says that nothing was revoked. */
  ask: () => Promise<Effect | null>;
  onRevoked: (effect: Effect) => void;
}

/** Revokes, and finds out what is true then. Nothing is taken for granted before the server has said it. */
export function useRevocation({ texts, revoke, ask, onRevoked }: RevocationOptions) {
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

  /** Only the server's "not revoked" lets the page say so. */
  const check = async (notRevoked: string): Promise<boolean> => {
    setPhase({ step: "checking" });
    try {
      const effect = await ask();
      return effect ? settle(effect) : fail(notRevoked);
    } catch {
      setPhase({ step: "unknown" });
      return false;
    }
  };

  const send = async (): Promise<boolean> => {
    setPhase({ step: "sending" });
    try {
      return settle(await revoke());
    } catch (error) {
      const failure = toCallFailure(error);
      if (failure.kind === "signedOut") return fail(texts.signedOut);
      if (failure.kind === "refused" && failure.domainCode === "API_KEY_NOT_FOUND") return fail(texts.notFound);
      return check(failure.kind === "noAnswer" ? texts.noAnswerNotRevoked : texts.notRevoked);
    }
  };

  const submit = useOneSubmit(() => (phase.step === "unknown" ? check(texts.noAnswerNotRevoked) : send()));
  return { phase, unknownText: texts.unknown, submit };
}
