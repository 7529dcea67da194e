import type { auth } from "@clerk/nextjs/server";

import type { Session } from "../http/identity";
import { isSignedOut, refusalOf } from "./signed-out";

type ClerkSession = Awaited<ReturnType<typeof auth>>;

/** Clerk's middleware gives this reason for a token whose `azp` is not this app's origin, and for one without `azp`. */
const foreignTokenReason = "token-invalid-authorized-parties";

export function isOfAnotherSite(session: ClerkSession): boolean {
  return !session.userId && refusalOf(session) === foreignTokenReason;
}

/** Translates what Clerk's middleware has found out about the request's session. */
export function readSession(session: ClerkSession, accessFeature: string | undefined): Session {
  if (!session.userId) return { status: isSignedOut(session) ? "signed_out" : "unavailable" };
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
