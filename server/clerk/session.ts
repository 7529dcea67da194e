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

/**
 * Translates what Clerk's middleware has found out about the request's session. The names in the comments are the claims of a session token
 * of version 2; Clerk's code reads those of version 1 into the same fields.
 * @param nameOf tells an organisation's name, which no claim has.
 */
export async function readSession(
  session: ClerkSession,
  { accessFeature, orgPermission, appOrigin }: Pick<ClerkOptions, "accessFeature" | "orgPermission" | "appOrigin">,
  nameOf: (organizationId: string) => Promise<string | null>,
): Promise<Session> {
  if (!session.userId) return { status: isSignedOut(session) ? "signed_out" : "unavailable" };
  if (isOfAnotherSite(session, appOrigin)) return { status: "signed_out" };
  // `o.id`: the organisation that is active in this session.
  const organizationId = session.orgId;
  // `fea` may have features of both. Only the owner's own count, so the scope is always named: without it Clerk takes either.
  const scope = organizationId ? "org" : "user";
  return {
    status: "signed_in",
    caller: {
      ownerId: organizationId ?? session.userId,
      ownerKind: organizationId ? "organization" : "user",
      ownerName: organizationId ? await nameOf(organizationId) : null,
      // `sub`
      userId: session.userId,
      hasAccessClaim: accessFeature ? session.has({ feature: `${scope}:${accessFeature}` }) : false,
      canManage: !organizationId || mayManage(session, orgPermission),
      // `act.sub`. Not `?.`: an actor without an id counts as well.
      impersonatedBy: session.actor ? session.actor.sub : null,
    },
  };
}

/** `o.rol`, or `o.per` and `o.fpm`, which name the custom permissions together with the features in `fea`. */
function mayManage(session: Extract<ClerkSession, { userId: string }>, permission: string | undefined): boolean {
  return session.has(permission === undefined ? { role: "org:admin" } : { permission });
}
