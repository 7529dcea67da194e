import { createPublicKey } from "node:crypto";

import { accounts, findAccountById, userResource } from "./accounts";
import { sessionLifetimeMilliseconds, sessionToken } from "./client-resources";
import { newClient, newId, sealClient } from "./client-state";
import { clientCookie, proxyPath, publicCookies, type FrontendContext } from "./frontend-api";
import { ClerkApiError, header, readBody, replyJson, secretsMatch, type Exchange } from "./http-exchange";

export type BrowserSessionOptions = {
  userId: string;
  /** The impersonating user. */
  act?: { sub: string };
  /** Absent: the features of the demo account. */
  features?: readonly string[];
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

function listUsers(url: URL) {
  const ids = url.searchParams.getAll("user_id");
  const emails = url.searchParams.getAll("email_address");
  const offset = Number(url.searchParams.get("offset") ?? 0);
  const limit = Number(url.searchParams.get("limit") ?? 10);
  const matches = accounts.filter(
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

function userAnswer(id: string) {
  const account = findAccountById(id);
  if (account === undefined) throw new ClerkApiError(404, "resource_not_found", "No user was found with this id.");
  return userResource(account);
}

const sessionPath = /^\/v1\/sessions\/(sess_\w+)(?:\/(revoke|tokens))?$/;
const userPath = /^\/v1\/users\/(user_\w+)$/;

async function answerFor(context: FrontendContext, { request, url, method }: Exchange): Promise<unknown> {
  const [, userId] = userPath.exec(url.pathname) ?? [];
  const [, sessionId, action] = sessionPath.exec(url.pathname) ?? [];
  if (method === "GET") {
    if (url.pathname === "/v1/jwks") {
      const jwk = createPublicKey(context.keys.signingKey).export({ format: "jwk" });
      return { keys: [{ ...jwk, use: "sig", alg: "RS256", kid: context.keys.keyId }] };
    }
    if (url.pathname === "/v1/users") return listUsers(url).page.map(userResource);
    if (url.pathname === "/v1/users/count") return { object: "total_count", total_count: listUsers(url).total };
    if (userId !== undefined) return userAnswer(userId);
    if (sessionId !== undefined && action === undefined) return sessionAnswer(context, sessionId);
  }
  if (method === "POST") {
    if (sessionId !== undefined && action === "revoke") {
      context.sessions.end(sessionId);
      return sessionAnswer(context, sessionId);
    }
    const known = action === "tokens" ? context.sessions.find(sessionId ?? "") : undefined;
    if (known !== undefined && !context.sessions.hasEnded(known.session.id))
      return { object: "token", jwt: sessionToken(context.keys, context.appOrigin, known.session) };
    if (url.pathname === "/local/browser-sessions") {
      const options = JSON.parse(await readBody(request)) as BrowserSessionOptions;
      userAnswer(options.userId);
      return { cookies: browserSession(context, options) };
    }
  }
  throw new ClerkApiError(404, "resource_not_found", `The local sign-in has no ${method} ${url.pathname}.`);
}

/**
 * Clerk's backend API: what `clerkClient()` and `currentUser()` ask for, and one endpoint of our own for tests, POST
 * /local/browser-sessions with `BrowserSessionOptions` as JSON. CLERK_SECRET_KEY is the bearer.
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
