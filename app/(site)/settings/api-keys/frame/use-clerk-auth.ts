"use client";

import { useAuth } from "@clerk/nextjs";

/** Clerk's useAuth; null when there is no ClerkProvider above. Then Clerk throws before it has used anything but a context. */
export function useClerkAuth(): ReturnType<typeof useAuth> | null {
  try {
    return useAuth();
  } catch (error) {
    if (error instanceof Error && error.message.includes("ClerkProvider")) return null;
    throw error;
  }
}
