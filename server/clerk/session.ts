import type { auth } from "@clerk/nextjs/server";

import type { Session } from "../http/identity";
import type { ClerkOptions } from "./clerk";
import { isSignedOut, refusalOf } from "./signed-out";

type ClerkSession = Awaited<ReturnType<typeof auth>>;

/** Clerk's middleware gives this reason for a token whose `azp` is not this app's origin, and for one without `azp`. */
const foreignTokenReason = "token-invalid-authorized-parties";

/** Clerk's middleware refuses such a token only where it was given `authorizedParties`, so the token of a session is looked at as well. */
export function isOfAnotherSite(session: ClerkSession, appOrigin: string): boolean {
  return session.userId ? session.sessionClaims.azp !== appOrigin : refusalOf(session) === foreignTokenReason;
}

/** Translates what Clerk's middleware has found out about the request's session. */
export function readSession(
  session: ClerkSession,
  { accessFeature, appOrigin }: Pick<ClerkOptions, "accessFeature" | "appOrigin">,
): Session {
  if (!session.userId) return { status: isSignedOut(session) ? "signed_out" : "unavailable" };
  if (isOfAnotherSite(session, appOrigin)) return { status: "signed_out" };
  return {
    status: "signed_in",
    caller: {
      ownerId: session.userId,
      ownerKind: "user",
      ownerName: null,
      userId: session.userId,
      hasAccessClaim: accessFeature ? session.has({ feature: accessFeature }) : false,
      canManage: true,
      // Not `?.`: an actor without an id counts as well.
      impersonatedBy: session.actor ? session.actor.sub : null,
    },
  };
}
