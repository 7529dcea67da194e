import { createPublicKey } from "node:crypto";

import { userResource } from "./accounts";
import { subscriptionResource } from "./billing";
import { sessionLifetimeMilliseconds, sessionToken } from "./client-resources";
import { type AzpPolicy, newClient, newId, sealClient } from "./client-state";
import { clientCookie, proxyPath, publicCookies, type FrontendContext } from "./frontend-api";
import { ClerkApiError, header, readBody, replyJson, secretsMatch, type Exchange } from "./http-exchange";
import type { UserChange, UserState } from "./user-registry";
import { deliverWebhook, eventsOfChange } from "./webhooks";

export type BrowserSessionOptions = {
  userId: string;
  /** The impersonating user. */
  act?: { sub: string };
  /** Absent: the features of the demo account. */
  features?: readonly string[];
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

function subscriptionAnswer(context: FrontendContext, id: string) {
  const user = findUser(context, id);
  if (user.isBillingDown) throw new ClerkApiError(500, "internal_clerk_error", "Billing is down.");
  return subscriptionResource(user);
}

export type UserChangeOptions = UserChange & {
  /** When the events of the change happened; absent: now. */
  at?: number;
  /** false: the events are only answered with, for a test that sends them itself. */
  deliver?: boolean;
};

async function changeUser(context: FrontendContext, id: string, { at, deliver, ...change }: UserChangeOptions) {
  const user = context.users.change(id, change);
  if (change.deleted || change.banned) context.sessions.endAllOf(id);
  const events = eventsOfChange(user, change, at ?? Date.now());
  const statuses: number[] = [];
  if (deliver !== false)
    for (const event of events)
      statuses.push(await deliverWebhook(context.appOrigin, context.keys.webhookSecret, event));
  return { events, statuses };
}

const sessionPath = /^\/v1\/sessions\/(sess_\w+)(?:\/(revoke|tokens))?$/;
const userPath = /^\/v1\/users\/(user_\w+)(\/billing\/subscription)?$/;
const localUserPath = /^\/local\/users\/(user_\w+)$/;

async function answerFor(context: FrontendContext, { request, url, method }: Exchange): Promise<unknown> {
  const [, userId, billingPath] = userPath.exec(url.pathname) ?? [];
  const [, sessionId, action] = sessionPath.exec(url.pathname) ?? [];
  if (method === "GET") {
    if (url.pathname === "/v1/jwks") {
      const jwk = createPublicKey(context.keys.signingKey).export({ format: "jwk" });
      return { keys: [{ ...jwk, use: "sig", alg: "RS256", kid: context.keys.keyId }] };
    }
    if (url.pathname === "/v1/users") return listUsers(context, url).page.map(userResource);
    if (url.pathname === "/v1/users/count")
      return { object: "total_count", total_count: listUsers(context, url).total };
    if (userId !== undefined)
      return billingPath ? subscriptionAnswer(context, userId) : userResource(findUser(context, userId));
    if (sessionId !== undefined && action === undefined) return sessionAnswer(context, sessionId);
  }
  if (method === "POST") {
    if (sessionId !== undefined && action === "revoke") {
      context.sessions.end(sessionId);
      return sessionAnswer(context, sessionId);
    }
    const known = action === "tokens" ? context.sessions.find(sessionId ?? "") : undefined;
    if (known !== undefined && !context.sessions.hasEnded(known.session.id))
      return { object: "token", jwt: sessionToken(context, known.session) };
    if (url.pathname === "/local/browser-sessions") {
      const options = JSON.parse(await readBody(request)) as BrowserSessionOptions;
      findUser(context, options.userId);
      return { cookies: browserSession(context, options) };
    }
    const [, changedId] = localUserPath.exec(url.pathname) ?? [];
    if (changedId !== undefined)
      return changeUser(context, changedId, JSON.parse(await readBody(request)) as UserChangeOptions);
  }
  throw new ClerkApiError(404, "resource_not_found", `The local sign-in has no ${method} ${url.pathname}.`);
}

/**
 * Clerk's backend API: what `clerkClient()` and `currentUser()` ask for, and two endpoints of our own for tests, with
 * JSON: POST /local/browser-sessions (`BrowserSessionOptions`), and POST /local/users/:id (`UserChangeOptions`), which changes a user and sends
 * the app the events of it. CLERK_SECRET_KEY is the bearer.
 */
export async function answerBackend(context: FrontendContext, exchange: Exchange): Promise<void> {
  if (!secretsMatch(header(exchange.request, "authorization"), `Bearer ${context.keys.secretKey}`))
    throw new ClerkApiError(
      401,
      "authentication_invalid",
      "Unable to authenticate the request: check CLERK_SECRET_KEY.",
    );
  replyJson(exchange, 200, await answerFor(context, exchange));
}
