import { publicUserData, userResource } from "./accounts";
import { featuresInEffect, planInEffect } from "./billing";
import type { ClientSession, ClientState } from "./client-state";
import type { LocalKeys } from "./keys";
import type { Membership } from "./organization-registry";
import { membershipResource, type Directory } from "./organization-resources";
import { mintSessionToken, type SessionTokenOptions } from "./session-token";
import type { UserState } from "./user-registry";

type ResourceContext = Directory & {
  keys: LocalKeys;
  appOrigin: string;
  /** The `Origin` header of the request that is being answered. */
  requestOrigin?: string | undefined;
};

/** How long a sign-in lasts without being renewed: a week, Clerk's own default. */
export const sessionLifetimeMilliseconds = 7 * 24 * 60 * 60 * 1000;

function authorizedParty({ appOrigin, requestOrigin }: ResourceContext, { azp }: ClientSession): string | null {
  if (azp === undefined) return appOrigin;
  return azp === "never" ? null : (requestOrigin ?? null);
}

/** The membership that the session acts by. None: the personal account, also after the membership has ended. */
export function activeMembership({ organizations }: Directory, session: ClientSession): Membership | undefined {
  return organizations.findMembership(session.activeOrganizationId, session.userId);
}

function accountOf(user: UserState | undefined, session: ClientSession): Partial<SessionTokenOptions> {
  if (user === undefined) return { features: session.features ?? [] };
  return { features: session.features ?? featuresInEffect(user), plan: planInEffect(user) };
}

const organizationOf = ({ organization, role, permissions }: Membership): Partial<SessionTokenOptions> => ({
  organization: {
    id: organization.id,
    slug: organization.slug,
    role,
    permissions: permissions.custom,
    features: featuresInEffect(organization),
  },
  plan: planInEffect(organization),
});

/** @param membership what the token is for; null: the personal account; absent: what is active in the session */
export function sessionToken(
  context: ResourceContext,
  session: ClientSession,
  membership: Membership | null = activeMembership(context, session) ?? null,
): string {
  return mintSessionToken(context.keys, {
    userId: session.userId,
    azp: authorizedParty(context, session),
    sessionId: session.id,
    verifiedAt: session.createdAt,
    ...(membership ? organizationOf(membership) : accountOf(context.users.find(session.userId), session)),
    ...(session.act && { act: session.act }),
  });
}

/** The signed-in user, with the memberships: clerk-js finds the active organisation among them. */
export function signedInUserResource(context: Directory, user: UserState) {
  const memberships = context.organizations.membershipsOf(user.id);
  return userResource(
    user,
    memberships.map((membership) => membershipResource(context, membership)),
  );
}

export function sessionResource(context: ResourceContext, session: ClientSession) {
  const account = context.users.find(session.userId);
  return {
    object: "session",
    id: session.id,
    status: "active",
    expire_at: session.createdAt + sessionLifetimeMilliseconds,
    abandon_at: session.createdAt + sessionLifetimeMilliseconds,
    last_active_at: session.lastActiveAt,
    last_active_token: { object: "token", jwt: sessionToken(context, session) },
    last_active_organization_id: activeMembership(context, session)?.organization.id ?? null,
    factor_verification_age: [Math.floor((Date.now() - session.createdAt) / 60_000), -1],
    actor: session.act ?? null,
    tasks: null,
    user: account === undefined ? null : signedInUserResource(context, account),
    public_user_data: account === undefined ? null : publicUserData(account),
    created_at: session.createdAt,
    updated_at: session.createdAt,
  };
}

export function signInResource({ users }: ResourceContext, client: ClientState) {
  const { signIn } = client;
  if (signIn === null) return null;
  const account = users.findByEmail(signIn.identifier);
  return {
    object: "sign_in",
    id: signIn.id,
    status: signIn.status,
    identifier: signIn.identifier,
    supported_identifiers: ["email_address"],
    supported_first_factors: [{ strategy: "password" }],
    supported_second_factors: null,
    first_factor_verification: null,
    second_factor_verification: null,
    user_data:
      account === undefined
        ? null
        : { first_name: account.firstName, last_name: account.lastName, image_url: "", has_image: false },
    created_session_id: signIn.createdSessionId,
    timezone: null,
  };
}

export function clientResource(context: ResourceContext, client: ClientState) {
  return {
    object: "client",
    id: client.id,
    sessions: client.sessions.map((session) => sessionResource(context, session)),
    sign_in: client.signIn?.status === "needs_first_factor" ? signInResource(context, client) : null,
    sign_up: null,
    last_active_session_id: client.sessions.at(-1)?.id ?? null,
    last_authentication_strategy: null,
    captcha_bypass: true,
    cookie_expires_at: null,
    created_at: client.createdAt,
    updated_at: client.updatedAt,
  };
}
