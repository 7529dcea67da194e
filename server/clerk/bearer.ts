import { verifyToken } from "@clerk/nextjs/server";

import { readBearer } from "../http/bearer";
import type { Verdict } from "../http/identity";
import type { ClerkOptions } from "./clerk";
import { isKeyOutage } from "./key-outage";

export async function verifyBearer(request: Request, options: ClerkOptions): Promise<Verdict<{ userId: string }>> {
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
    // A session that still has a task to do, such as choosing an organisation, is not signed in yet.
    return claims.sts === "pending" ? { status: "signed_out" } : { status: "signed_in", userId: claims.sub };
  } catch (error) {
    const reason = error instanceof Error && "reason" in error ? String(error.reason) : null;
    // Without a reason it is no verdict of the verifier: the keys could not be fetched.
    return { status: reason === null || isKeyOutage(reason) ? "unavailable" : "signed_out" };
  }
}
