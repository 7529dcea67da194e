"use client";

import { isClerkAPIResponseError } from "@clerk/nextjs/errors";
import type { ReactNode } from "react";

import { ApiKeysProvider } from "../../../../../trpc/latchkey/client";
import { paths } from "../strings";
import { SessionEnded } from "./session-ended";
import { SetupMissing } from "./setup-missing";
import { useClerkAuth } from "./use-clerk-auth";

type GetToken = (options: { skipCache: boolean; organizationId?: string }) => Promise<string | null>;

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
      freshToken={() => freshToken(auth.getToken)}
    >
      {children}
    </ApiKeysProvider>
  );
}

/**
 * Asks Clerk for a new token. Null: Clerk has answered that there is no session. It throws when Clerk's answer does not tell. Who has left the
 * organization gets a token of the personal account. The server refuses that one too, and says that the page is of another account.
 * @param organizationId absent: the one that is active in this tab; empty: the personal account.
 */
async function freshToken(getToken: GetToken, organizationId?: string): Promise<string | null> {
  try {
    return await getToken({ skipCache: true, ...(organizationId !== undefined && { organizationId }) });
  } catch (error) {
    if (!isClerkAPIResponseError(error)) throw error;
    const hasLeft = error.errors.some(({ code }) => code === "organization_not_found_or_unauthorized");
    if (hasLeft && organizationId === undefined) return freshToken(getToken, "");
    if ([401, 403, 404, 422].includes(error.status)) return null;
    throw error;
  }
}
