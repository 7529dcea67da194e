import "server-only";

import { auth } from "@clerk/nextjs/server";

import type { Caller } from "@/server/api-keys";
import { getEnvironment } from "@/server/env";

export type Session =
  | { status: "signed_in"; caller: Caller }
  | { status: "signed_out" }
  /** Clerk's signing keys could not be fetched: nobody knows whether this session is good. */
  | { status: "unavailable" };

/** Reasons with which Clerk's middleware reports, as signed out, a session that it could not check (found by running it). */
const outageReasons = ["jwk-remote-failed-to-load", "jwk-failed-to-resolve", "unexpected-error"];

/** Who is signed in, as Clerk's middleware has verified it for this request. */
export async function readSession(): Promise<Session> {
  const session = await auth();
  if (!session.userId) {
    const { authReason } = session.debug() as { authReason?: string };
    return outageReasons.includes(authReason ?? "") ? { status: "unavailable" } : { status: "signed_out" };
  }
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
