"use client";

import { useAuth } from "@clerk/nextjs";
import { isClerkAPIResponseError } from "@clerk/nextjs/errors";
import type { ReactNode } from "react";

import { TrpcProvider } from "@/trpc/latchkey/client";

import { SessionEnded } from "./session-ended";

/** Gives its children the procedures of the account that is signed in now. When the account changes, they start anew. */
export function OwnedBySession({ children, whileUnknown }: { children: ReactNode; whileUnknown: ReactNode }) {
  const { isLoaded, userId, getToken } = useAuth();
  if (!isLoaded) return whileUnknown;
  if (!userId) return <SessionEnded />;
  return (
    <TrpcProvider ownerId={userId} freshToken={() => orNull(getToken({ skipCache: true }))}>
      {children}
    </TrpcProvider>
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
