import { createHash, timingSafeEqual } from "node:crypto";

import { readBearer } from "../gateway/bearer";

/**
 * Whether the request carries `Authorization: Bearer <secret>`. False where no secret is set. Hashes are compared, so the time tells neither
 * the secret's content nor its length.
 */
export function bearsSecret(request: Request, secret: string | undefined): boolean {
  if (!secret) return false;
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(readBearer(request.headers.get("authorization")) ?? ""), digest(secret));
}
