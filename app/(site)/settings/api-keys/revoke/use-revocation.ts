"use client";

import { useState } from "react";

import type { Effect } from "@/server/api-keys";

import { toCallFailure } from "../call-failure";

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

  const settle = (effect: Effect) => {
    setPhase({ step: "revoked", effect });
    onRevoked(effect);
  };

  /** Only the server's "not revoked" lets the page say so. */
  const check = async (notRevoked: string) => {
    setPhase({ step: "checking" });
    try {
      const effect = await ask();
      if (effect) settle(effect);
      else setPhase({ step: "confirm", problem: notRevoked });
    } catch {
      setPhase({ step: "unknown" });
    }
  };

  const send = async () => {
    setPhase({ step: "sending" });
    try {
      settle(await revoke());
    } catch (error) {
      const failure = toCallFailure(error);
      if (failure.kind === "signedOut") setPhase({ step: "confirm", problem: texts.signedOut });
      else if (failure.kind === "refused" && failure.domainCode === "API_KEY_NOT_FOUND")
        setPhase({ step: "confirm", problem: texts.notFound });
      else await check(failure.kind === "noAnswer" ? texts.noAnswerNotRevoked : texts.notRevoked);
    }
  };

  return { phase, unknownText: texts.unknown, send, checkAgain: () => check(texts.noAnswerNotRevoked) };
}
