import { randomBytes, sign } from "node:crypto";

import { findAccountById } from "./accounts";
import { issuer, type LocalKeys } from "./keys";
import { type ActiveOrganization, featureOf, organizationClaim } from "./organization-claims";
import { findOrganizationById } from "./organizations";

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
  /** The user's. Absent: the features of the demo account; none with an organisation, as in Clerk's tokens. */
  features?: readonly string[];
  /** The active one. Features absent: those of the demo organisation. The features of its permissions are always added. */
  organization?: Pick<ActiveOrganization, "id" | "slug" | "role"> &
    Partial<Pick<ActiveOrganization, "features" | "permissions">>;
  /** The slug of the plan, the organisation's where there is one. */
  plan?: string;
  /** When the password was last checked, milliseconds since the epoch. */
  verifiedAt?: number;
};

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Signs a JWT (RS256) that the real Clerk packages verify with this machine's CLERK_JWT_KEY. */
export function signJwt(keys: LocalKeys, claims: Record<string, unknown>): string {
  const head = `${encode({ alg: "RS256", kid: keys.keyId, typ: "JWT" })}.${encode(claims)}`;
  return `${head}.${sign("sha256", Buffer.from(head), keys.signingKey).toString("base64url")}`;
}

function activeOrganization({ organization }: SessionTokenOptions): ActiveOrganization | undefined {
  if (organization === undefined) return undefined;
  const { permissions = [], features = findOrganizationById(organization.id)?.features ?? [] } = organization;
  return { ...organization, permissions, features: [...new Set([...features, ...permissions.map(featureOf)])] };
}

/**
 * What a session token says of an active organisation, of features and of the plan. Features and plans have the scope `o:` or `u:` in
 * front: `splitByScope` and `checkBillingAuthorization` of @clerk/shared/dist/authorization.js read them. Clerk writes those of the
 * active organisation where there is one, else the user's (https://clerk.com/docs/guides/sessions/session-tokens).
 */
function accountClaims(options: SessionTokenOptions) {
  const organization = activeOrganization(options);
  const ofUser = options.features ?? (organization ? [] : (findAccountById(options.userId)?.features ?? []));
  const features = [
    // First: `fpm` counts the organisation's features in this order.
    ...(organization?.features ?? []).map((feature) => `o:${feature}`),
    ...ofUser.map((feature) => `u:${feature}`),
  ];
  return {
    ...(features.length > 0 && { fea: features.join(",") }),
    ...(organization && { o: organizationClaim(organization) }),
    ...(options.plan !== undefined && { pla: `${organization ? "o" : "u"}:${options.plan}` }),
  };
}

/** A session token of Clerk's version 2. */
export function mintSessionToken(keys: LocalKeys, options: SessionTokenOptions): string {
  const now = Math.floor(Date.now() / 1000);
  const lifetime = options.expiresInSeconds ?? sessionTokenSeconds;
  // An expired token was issued before it expired: with iat after exp it would be refused for another reason.
  const issuedAt = lifetime > 0 ? now : now + lifetime - sessionTokenSeconds;
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
    ...accountClaims(options),
    ...(options.act && { act: options.act }),
  });
}
