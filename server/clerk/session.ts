import type { auth } from "@clerk/nextjs/server";

import type { Session } from "../http/identity";
import { isKeyOutage } from "./key-outage";

type ClerkSession = Awaited<ReturnType<typeof auth>>;

/** Clerk's middleware gives this reason for a token whose `azp` is not this app's origin, and for one without `azp`. */
const foreignTokenReason = "token-invalid-authorized-parties";

/** Why Clerk's middleware counts this request as signed out. */
const refusalOf = (session: ClerkSession) => (session.debug() as { authReason?: string }).authReason ?? "";

export function isOfAnotherSite(session: ClerkSession): boolean {
  return !session.userId && refusalOf(session) === foreignTokenReason;
}

/** Whether nobody is signed in. While Clerk's signing keys cannot be fetched, that is not known. */
export function isSignedOut(session: ClerkSession): boolean {
  return !session.userId && !isKeyOutage(refusalOf(session));
}

/** Translates what Clerk's middleware has found out about the request's session. */
export function readSession(session: ClerkSession, accessFeature: string | undefined): Session {
  if (!session.userId) return { status: isKeyOutage(refusalOf(session)) ? "unavailable" : "signed_out" };
  return {
    status: "signed_in",
    caller: {
      ownerId: session.userId,
      hasAccessClaim: accessFeature ? session.has({ feature: accessFeature }) : false,
      isImpersonated: Boolean(session.actor),
    },
  };
}
