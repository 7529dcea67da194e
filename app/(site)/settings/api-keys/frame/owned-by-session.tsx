"use client";

import { useAuth } from "@clerk/nextjs";
import { isClerkAPIResponseError } from "@clerk/nextjs/errors";
import type { ReactNode } from "react";

import { TrpcProvider } from "@/trpc/client";

import { SessionEnded } from "./session-ended";

/** Gives its children the procedures of whoever is signed in in this browser now; on a switch they start anew. */
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

/** Null when Clerk has answered that there is no session to renew. No answer, or one that says nothing of the session, is thrown. */
async function orNull(token: Promise<string | null>): Promise<string | null> {
  try {
    return await token;
  } catch (error) {
    if (isClerkAPIResponseError(error) && [401, 403, 404, 422].includes(error.status)) return null;
    throw error;
  }
}
