import { createHash, timingSafeEqual } from "node:crypto";

/** Whether the request carries `Authorization: Bearer <secret>`. Hashed first, so that neither content nor length shows in the time. */
export function bearsSecret(request: Request, secret: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const [, token = ""] = /^bearer +(\S+)$/i.exec(request.headers.get("authorization")?.trim() ?? "") ?? [];
  return timingSafeEqual(digest(token), digest(secret));
}
