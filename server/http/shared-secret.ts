import { createHash, timingSafeEqual } from "node:crypto";

import { readBearer } from "./bearer";

/**
 * Whether the request carries `Authorization: Bearer <secret>`; never where no secret is set. Hashed first, so that neither content nor
 * length shows in the time.
 */
export function bearsSecret(request: Request, secret: string | undefined): boolean {
  if (!secret) return false;
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(readBearer(request.headers.get("authorization")) ?? ""), digest(secret));
}
