"use client";

import { createContext, type ReactNode, use, useState } from "react";

import type { CreatedApiKey, Effect } from "latchkey";

import { useClerkAuth } from "./frame/use-clerk-auth";

/** What the server says only once: a new secret, or the effect of a revocation. */
export type Arrived =
  /** `graceSeconds`: of the rotation that brought the secret. Null: the key is new. */
  | { kind: "secret"; created: CreatedApiKey; graceSeconds: number | null }
  | { kind: "receipt"; title: string; effect: Effect; pendingText: (latest: string) => string };

type ArrivedState = [Arrived | null, (arrived: Arrived | null) => void];

const ArrivedContext = createContext<ArrivedState>([null, () => undefined]);

/** Keeps what has arrived above the page. So `error.tsx` can still show it after a crash of the page. Another person starts empty. */
export function ArrivedProvider({ children }: { children: ReactNode }) {
  const auth = useClerkAuth();
  return <OwnedArrivedProvider key={auth?.userId}>{children}</OwnedArrivedProvider>;
}

function OwnedArrivedProvider({ children }: { children: ReactNode }) {
  const state = useState<Arrived | null>(null);
  return <ArrivedContext value={state}>{children}</ArrivedContext>;
}

export function useArrived(): ArrivedState {
  return use(ArrivedContext);
}
