import { randomBytes, sign } from "node:crypto";

import { findAccountById } from "./accounts";
import { issuer, type LocalKeys } from "./keys";

/** Clerk's own lifetime: a session token lives one minute and clerk-js renews it. */
const sessionTokenSeconds = 60;

export type SessionTokenOptions = {
  userId: string;
  /** The origin of the page that the token is for: what `authorizedParties` is compared with. null: the claim is left out. */
  azp: string | null;
  sessionId?: string;
  /** The impersonating user. */
  act?: { sub: string };
  /** May be negative, for an expired token. */
  expiresInSeconds?: number;
  /** Absent: the features of the demo account. */
  features?: readonly string[];
  /** When the password was last checked, milliseconds since the epoch. */
  verifiedAt?: number;
};

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Signs a JWT (RS256) that the real Clerk packages verify with this machine's CLERK_JWT_KEY. */
export function signJwt(keys: LocalKeys, claims: Record<string, unknown>): string {
  const head = `${encode({ alg: "RS256", kid: keys.keyId, typ: "JWT" })}.${encode(claims)}`;
  return `${head}.${sign("sha256", Buffer.from(head), keys.signingKey).toString("base64url")}`;
}

/** A session token of Clerk's version 2: user features stand in `fea` as `u:<feature>`. */
export function mintSessionToken(keys: LocalKeys, options: SessionTokenOptions): string {
  const now = Math.floor(Date.now() / 1000);
  const lifetime = options.expiresInSeconds ?? sessionTokenSeconds;
  // An expired token was issued before it expired: with iat after exp it would be refused for another reason.
  const issuedAt = lifetime > 0 ? now : now + lifetime - sessionTokenSeconds;
  const features = options.features ?? findAccountById(options.userId)?.features ?? [];
  return signJwt(keys, {
    ...(options.azp !== null && { azp: options.azp }),
    exp: now + lifetime,
    fva: [Math.max(0, Math.floor((Date.now() - (options.verifiedAt ?? Date.now())) / 60_000)), -1],
    iat: issuedAt,
    iss: issuer,
    jti: randomBytes(10).toString("hex"),
    nbf: issuedAt - 10,
    sid: options.sessionId ?? `sess_${randomBytes(14).toString("hex")}`,
    sts: "active",
    sub: options.userId,
    v: 2,
    ...(features.length > 0 && { fea: features.map((feature) => `u:${feature}`).join(",") }),
    ...(options.act && { act: options.act }),
  });
}
