import { verifyToken } from "@clerk/nextjs/server";

import { readBearer } from "../gateway/bearer";
import type { Verdict } from "../http/identity";
import type { ClerkOptions } from "./clerk";
import { isKeyOutage } from "./key-outage";

/** Verifies the session token in `Authorization: Bearer`, see `IdentityProvider`. It never throws. */
export async function verifyBearer(
  request: Request,
  options: ClerkOptions,
): Promise<Verdict<{ userId: string; ownerId: string }>> {
  const token = readBearer(request.headers.get("authorization"));
  if (!token) return { status: "signed_out" };
  const { secretKey, jwtKey, apiUrl, appOrigin } = options;
  try {
    const claims = await verifyToken(token, {
      secretKey,
      ...(jwtKey && { jwtKey }),
      ...(apiUrl && { apiUrl }),
      authorizedParties: [appOrigin],
    });
    // Such a session still has a task to do, for example to choose an organisation. Until then nobody is signed in.
    if (claims.sts === "pending") return { status: "signed_out" };
    // The active organisation: `o.id` in a token of version 2, `org_id` in one of version 1, which has no `v`.
    const organizationId = claims.v === 2 ? claims.o?.id : claims.org_id;
    return { status: "signed_in", userId: claims.sub, ownerId: organizationId ?? claims.sub };
  } catch (error) {
    const reason = error instanceof Error && "reason" in error ? String(error.reason) : null;
    // An error without a reason is no verdict on the token, for example when the signing keys could not be fetched.
    return { status: reason === null || isKeyOutage(reason) ? "unavailable" : "signed_out" };
  }
}
