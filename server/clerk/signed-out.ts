import type { auth } from "@clerk/nextjs/server";

import { isKeyOutage } from "./key-outage";

export type ClerkSession = Pick<Awaited<ReturnType<typeof auth>>, "userId" | "debug">;

/** Why Clerk's middleware counts this request as signed out. */
export const refusalOf = (session: ClerkSession) => (session.debug() as { authReason?: string }).authReason ?? "";

/** Whether nobody is signed in. While Clerk's signing keys cannot be fetched, that is not known. Our middleware loads this file, too. */
export function isSignedOut(session: ClerkSession): boolean {
  return !session.userId && !isKeyOutage(refusalOf(session));
}
