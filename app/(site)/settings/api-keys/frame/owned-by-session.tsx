"use client";

import { isClerkAPIResponseError } from "@clerk/nextjs/errors";
import type { ReactNode } from "react";

import { ApiKeysProvider } from "../../../../../trpc/latchkey/client";
import { paths } from "../strings";
import { SessionEnded } from "./session-ended";
import { SetupMissing } from "./setup-missing";
import { useClerkAuth } from "./use-clerk-auth";

/** Gives its children the procedures of the active account, an organisation or the person. When it changes, they start anew. */
export function OwnedBySession({ children, whileUnknown }: { children: ReactNode; whileUnknown: ReactNode }) {
  const auth = useClerkAuth();
  if (!auth) return <SetupMissing />;
  if (!auth.isLoaded) return whileUnknown;
  if (!auth.userId) return <SessionEnded />;
  return (
    <ApiKeysProvider
      ownerId={auth.orgId ?? auth.userId}
      endpoint={paths.procedures}
      freshToken={() => orNull(auth.getToken({ skipCache: true }))}
    >
      {children}
    </ApiKeysProvider>
  );
}

/** Asks Clerk for a new token. Null: Clerk has answered that there is no session. It throws when Clerk's answer does not tell. */
async function orNull(token: Promise<string | null>): Promise<string | null> {
  try {
    return await token;
  } catch (error) {
    if (isClerkAPIResponseError(error) && [401, 403, 404, 422].includes(error.status)) return null;
    throw error;
  }
}
