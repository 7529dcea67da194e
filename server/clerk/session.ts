import "server-only";

import { auth } from "@clerk/nextjs/server";

import type { Caller } from "../keys";
import { getEnvironment } from "../settings/env";

export type Session =
  | { status: "signed_in"; caller: Caller }
  | { status: "signed_out" }
  /** Clerk's signing keys could not be fetched: nobody knows whether this session is good. */
  | { status: "unavailable" };

/** Reasons with which Clerk's middleware reports, as signed out, a session that it could not check (found by running it). */
const outageReasons = ["jwk-remote-failed-to-load", "jwk-failed-to-resolve", "unexpected-error"];

/** Clerk's middleware refuses a token whose `azp` is not this app's origin. One without `azp` is refused with the same reason. */
const foreignTokenReason = "token-invalid-authorized-parties";

/** Why Clerk's middleware counts this request as signed out. */
const refusalOf = (session: Awaited<ReturnType<typeof auth>>) =>
  (session.debug() as { authReason?: string }).authReason ?? "";

/** Whether this request brought a session token that was made for another site, or names none (decision 008). */
export async function isSessionOfAnotherSite(): Promise<boolean> {
  const session = await auth();
  return !session.userId && refusalOf(session) === foreignTokenReason;
}

/** Who is signed in, as Clerk's middleware has verified it for this request. */
export async function readSession(): Promise<Session> {
  const session = await auth();
  if (!session.userId)
    return outageReasons.includes(refusalOf(session)) ? { status: "unavailable" } : { status: "signed_out" };
  const feature = getEnvironment().API_ACCESS_FEATURE;
  return {
    status: "signed_in",
    caller: {
      ownerId: session.userId,
      hasAccessClaim: feature ? session.has({ feature }) : false,
      isImpersonated: Boolean(session.actor),
    },
  };
}
