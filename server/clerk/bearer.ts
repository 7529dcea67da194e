import "server-only";

import { verifyToken } from "@clerk/nextjs/server";

import { getEnvironment } from "../settings/env";
import { readBearer } from "../http/bearer";

/** Reasons of Clerk's `TokenVerificationError` that speak of its servers, not of the token. */
const outageReasons = ["jwk-remote-failed-to-load", "jwk-failed-to-resolve"];

/** Whom the session token in `Authorization: Bearer` belongs to. Verified here and now; cookies never count. */
export async function verifyClerkBearer(
  request: Request,
): Promise<{ status: "signed_in"; userId: string } | { status: "signed_out" } | { status: "unavailable" }> {
  const token = readBearer(request.headers.get("authorization"));
  if (!token) return { status: "signed_out" };
  const environment = getEnvironment();
  try {
    const claims = await verifyToken(token, {
      secretKey: environment.CLERK_SECRET_KEY,
      ...(environment.CLERK_JWT_KEY && { jwtKey: environment.CLERK_JWT_KEY }),
      ...(environment.CLERK_API_URL && { apiUrl: environment.CLERK_API_URL }),
      authorizedParties: [environment.APP_ORIGIN],
    });
    // A session that still has a task to do, such as choosing an organisation, is not signed in yet.
    return claims.sts === "pending" ? { status: "signed_out" } : { status: "signed_in", userId: claims.sub };
  } catch (error) {
    const reason = error instanceof Error && "reason" in error ? String(error.reason) : null;
    // Without a reason it is no verdict of the verifier: the keys could not be fetched.
    return reason === null || outageReasons.includes(reason) ? { status: "unavailable" } : { status: "signed_out" };
  }
}
