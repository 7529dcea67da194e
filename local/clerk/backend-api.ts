import { createPublicKey } from "node:crypto";

import { userResource } from "./accounts";
import { subscriptionResource, type Payer } from "./billing";
import { activeMembership, sessionLifetimeMilliseconds, sessionToken } from "./client-resources";
import { type AzpPolicy, newClient, newId, sealClient } from "./client-state";
import { clientCookie, proxyPath, publicCookies, type FrontendContext } from "./frontend-api";
import { ClerkApiError, header, readBody, replyJson, secretsMatch, type Exchange } from "./http-exchange";
import type { OrganizationState } from "./organization-registry";
import { membershipPage, organizationAnswer, pageOf } from "./organization-resources";
import {
  changeMembership,
  changeOrganization,
  changeUser,
  type MembershipChangeOptions,
  type OrganizationChangeOptions,
  type UserChangeOptions,
} from "./test-changes";
import type { UserState } from "./user-registry";

export type BrowserSessionOptions = {
  userId: string;
  /** The impersonating user. */
  act?: { sub: string };
  /** Absent: the features of the demo account. */
  features?: readonly string[];
  /** One that the user is a member of. Absent: the personal account. */
  activeOrganizationId?: string;
  /** When the session's tokens carry `azp`. Absent: always. */
  azp?: AzpPolicy;
};

/** In the shape that Playwright's `context.addCookies` takes. */
export type BrowserCookie = {
  name: string;
  value: string;
  domain: string;
  path: string;
  httpOnly: boolean;
  sameSite: "Lax";
};

/** Signs a browser in without the page: the cookies of a new session, possibly impersonated, possibly with other features. */
export function browserSession(context: FrontendContext, options: BrowserSessionOptions): BrowserCookie[] {
  const client = newClient();
  const { createdAt } = client;
  client.sessions = [{ id: newId("sess"), createdAt, lastActiveAt: createdAt, ...options }];
  context.sessions.remember(client);
  const shared = { domain: new URL(context.appOrigin).hostname, sameSite: "Lax" } as const;
  const sealed = sealClient(context.keys.sealingKey, client);
  return [
    { ...shared, name: clientCookie, value: sealed, path: proxyPath, httpOnly: true },
    ...publicCookies(context, client).map(([name, value]) => ({ ...shared, name, value, path: "/", httpOnly: false })),
  ];
}

function listUsers({ users }: FrontendContext, url: URL) {
  const ids = url.searchParams.getAll("user_id");
  const emails = url.searchParams.getAll("email_address");
  const offset = Number(url.searchParams.get("offset") ?? 0);
  const limit = Number(url.searchParams.get("limit") ?? 10);
  const matches = users
    .list()
    .filter(
      ({ id, email }) => (ids.length === 0 || ids.includes(id)) && (emails.length === 0 || emails.includes(email)),
    );
  return { total: matches.length, page: matches.slice(offset, offset + limit) };
}

function sessionAnswer(context: FrontendContext, id: string) {
  const known = context.sessions.find(id);
  if (known === undefined) throw new ClerkApiError(404, "resource_not_found", "No session was found with this id.");
  const { session, clientId } = known;
  return {
    object: "session",
    id: session.id,
    client_id: clientId,
    user_id: session.userId,
    status: context.sessions.hasEnded(id) ? "revoked" : "active",
    actor: session.act ?? null,
    last_active_at: session.lastActiveAt,
    last_active_organization_id: activeMembership(context, session)?.organization.id ?? null,
    expire_at: session.createdAt + sessionLifetimeMilliseconds,
    abandon_at: session.createdAt + sessionLifetimeMilliseconds,
    created_at: session.createdAt,
    updated_at: session.createdAt,
  };
}

function findUser({ users }: FrontendContext, id: string): UserState {
  const user = users.find(id);
  if (user === undefined) throw new ClerkApiError(404, "resource_not_found", "No user was found with this id.");
  return user;
}

function findOrganization({ organizations }: FrontendContext, idOrSlug: string): OrganizationState {
  const organization = organizations.find(idOrSlug);
  if (organization === undefined)
    throw new ClerkApiError(404, "resource_not_found", "No organization was found with this id.");
  return organization;
}

function subscriptionAnswer(payer: Payer) {
  if (payer.isBillingDown) throw new ClerkApiError(500, "internal_clerk_error", "Billing is down.");
  return subscriptionResource(payer);
}

function tokenAnswer(context: FrontendContext, id: string) {
  const known = context.sessions.find(id);
  if (known === undefined || context.sessions.hasEnded(id))
    throw new ClerkApiError(404, "resource_not_found", "No active session was found with this id.");
  return { object: "token", jwt: sessionToken(context, known.session) };
}

type Handler = (context: FrontendContext, id: string, exchange: Exchange) => unknown;

const routes: [method: string, path: RegExp, handler: Handler][] = [
  [
    "GET",
    /^\/v1\/jwks$/,
    ({ keys }) => {
      const jwk = createPublicKey(keys.signingKey).export({ format: "jwk" });
      return { keys: [{ ...jwk, use: "sig", alg: "RS256", kid: keys.keyId }] };
    },
  ],
  ["GET", /^\/v1\/users$/, (context, _, { url }) => listUsers(context, url).page.map((user) => userResource(user))],
  [
    "GET",
    /^\/v1\/users\/count$/,
    (context, _, { url }) => ({ object: "total_count", total_count: listUsers(context, url).total }),
  ],
  ["GET", /^\/v1\/users\/(user_\w+)$/, (context, id) => userResource(findUser(context, id))],
  [
    "GET",
    /^\/v1\/users\/(user_\w+)\/billing\/subscription$/,
    (context, id) => subscriptionAnswer(findUser(context, id)),
  ],
  [
    "GET",
    /^\/v1\/users\/(user_\w+)\/organization_memberships$/,
    (context, id, { url }) =>
      membershipPage(context, context.organizations.membershipsOf(findUser(context, id).id), url.searchParams),
  ],
  [
    "GET",
    /^\/v1\/organizations$/,
    (context, _, { url }) =>
      pageOf(context.organizations.list(), url.searchParams, (organization) =>
        organizationAnswer(context, organization),
      ),
  ],
  [
    "GET",
    /^\/v1\/organizations\/([\w-]+)$/,
    (context, id) => organizationAnswer(context, findOrganization(context, id)),
  ],
  [
    "GET",
    /^\/v1\/organizations\/([\w-]+)\/memberships$/,
    (context, id, { url }) =>
      membershipPage(context, context.organizations.membersOf(findOrganization(context, id).id), url.searchParams),
  ],
  [
    "GET",
    /^\/v1\/organization_memberships$/,
    (context, _, { url }) => membershipPage(context, context.organizations.memberships(), url.searchParams),
  ],
  [
    "GET",
    /^\/v1\/organizations\/(org_\w+)\/billing\/subscription$/,
    (context, id) => subscriptionAnswer(findOrganization(context, id)),
  ],
  ["GET", /^\/v1\/sessions\/(sess_\w+)$/, sessionAnswer],
  [
    "POST",
    /^\/v1\/sessions\/(sess_\w+)\/revoke$/,
    (context, id) => {
      context.sessions.end(id);
      return sessionAnswer(context, id);
    },
  ],
  ["POST", /^\/v1\/sessions\/(sess_\w+)\/tokens$/, tokenAnswer],
  [
    "POST",
    /^\/local\/browser-sessions$/,
    async (context, _, { request }) => {
      const options = JSON.parse(await readBody(request)) as BrowserSessionOptions;
      findUser(context, options.userId);
      return { cookies: browserSession(context, options) };
    },
  ],
  [
    "POST",
    /^\/local\/users\/(user_\w+)$/,
    async (context, id, { request }) =>
      changeUser(context, id, JSON.parse(await readBody(request)) as UserChangeOptions),
  ],
  [
    "POST",
    /^\/local\/organizations\/(org_\w+)$/,
    async (context, id, { request }) =>
      changeOrganization(context, id, JSON.parse(await readBody(request)) as OrganizationChangeOptions),
  ],
  [
    "POST",
    /^\/local\/organizations\/(org_\w+)\/memberships\/user_\w+$/,
    async (context, id, { request, url }) => {
      const userId = url.pathname.split("/").at(-1) ?? "";
      const options = JSON.parse(await readBody(request)) as MembershipChangeOptions;
      return changeMembership(context, findOrganization(context, id).id, userId, options);
    },
  ],
];

/**
 * Clerk's backend API: what `clerkClient()` and `currentUser()` ask for, and endpoints of our own for tests, with JSON:
 * POST /local/browser-sessions (`BrowserSessionOptions`), and three that change something and send the app the events of it: POST
 * /local/users/:id (`UserChangeOptions`), /local/organizations/:id (`OrganizationChangeOptions`) and
 * /local/organizations/:id/memberships/:userId (`MembershipChangeOptions`). CLERK_SECRET_KEY is the bearer.
 */
export async function answerBackend(context: FrontendContext, exchange: Exchange): Promise<void> {
  const { request, method, url } = exchange;
  if (!secretsMatch(header(request, "authorization"), `Bearer ${context.keys.secretKey}`))
    throw new ClerkApiError(
      401,
      "authentication_invalid",
      "Unable to authenticate the request: check CLERK_SECRET_KEY.",
    );
  for (const [verb, path, handler] of routes) {
    const match = verb === method ? path.exec(url.pathname) : null;
    if (match === null) continue;
    replyJson(exchange, 200, await handler(context, match[1] ?? "", exchange));
    return;
  }
  throw new ClerkApiError(404, "resource_not_found", `The local sign-in has no ${method} ${url.pathname}.`);
}
