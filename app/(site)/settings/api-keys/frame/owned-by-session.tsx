"use client";

import { useAuth } from "@clerk/nextjs";
import type { ReactNode } from "react";

import { TrpcProvider } from "@/trpc/client";

import { SessionEnded } from "./session-ended";

/** Gives its children the procedures of whoever is signed in in this browser now; on a switch they start anew. */
export function OwnedBySession({ children, whileUnknown }: { children: ReactNode; whileUnknown: ReactNode }) {
  const { isLoaded, userId } = useAuth();
  if (!isLoaded) return whileUnknown;
  if (!userId) return <SessionEnded />;
  return <TrpcProvider ownerId={userId}>{children}</TrpcProvider>;
}
