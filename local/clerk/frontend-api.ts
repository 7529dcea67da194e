import { accountPassword } from "./accounts";
import {
  clientResource,
  sessionResource,
  sessionToken,
  signedInUserResource,
  signInResource,
  sessionLifetimeMilliseconds,
} from "./client-resources";
import { newClient, newId, openClient, sealClient, type ClientSession, type ClientState } from "./client-state";
import { environmentBlob } from "./environment-blob";
import { ClerkApiError, cookieValue, header, readBody, replyJson, secretsMatch, type Exchange } from "./http-exchange";
import { cookieSuffix, type LocalKeys } from "./keys";
import type { Membership } from "./organization-registry";
import {
  membershipPage,
  organizationAnswer,
  organizationNotFound,
  pageOf,
  type Directory,
} from "./organization-resources";
import { servePackageFile } from "./package-files";
import type { SessionRegistry } from "./session-registry";
import { signJwt } from "./session-token";
import type { UserState } from "./user-registry";

export type FrontendContext = Directory & {
  keys: LocalKeys;
  appOrigin: string;
  sessions: SessionRegistry;
  requestOrigin?: string | undefined;
};

export const clientCookie = "__client";
/** Where the app's middleware proxies this API; the client cookie is sent nowhere else. */
export const proxyPath = "/__clerk";
const yearSeconds = 365 * 24 * 60 * 60;

type Call = {
  context: FrontendContext;
  exchange: Exchange;
  /** The browser's state, changed by the handlers and sealed again with the answer. */
  client: ClientState;
  hasCookie: boolean;
  /** The state that the browser sent. */
  stateBefore: string;
  form: URLSearchParams;
};

/** The cookies that the app and clerk-js read, each under its plain and its suffixed name. */
export function publicCookies(context: FrontendContext, client: ClientState): [name: string, value: string][] {
  const session = client.sessions.at(-1);
  const values: [string, string][] = [
    ["__clerk_db_jwt", `dvb_${client.id}`],
    ["__client_uat", session === undefined ? "0" : String(Math.floor(client.updatedAt / 1000))],
    ["__session", session === undefined ? "" : sessionToken(context, session)],
  ];
  return values.flatMap(([name, value]): [string, string][] => [
    [name, value],
    [`${name}_${cookieSuffix}`, value],
  ]);
}

function reply(call: Call, response: unknown): void {
  const { context, exchange, client } = call;
  // A tab that only reads must not take back what another tab has changed meanwhile, such as the active organisation.
  if (JSON.stringify(client) !== call.stateBefore) {
    const sealed = sealClient(context.keys.sealingKey, client);
    exchange.response.setHeader(
      "set-cookie",
      `${clientCookie}=${sealed}; Path=${proxyPath}; HttpOnly; SameSite=Lax; Max-Age=${yearSeconds}`,
    );
  }
  replyJson(exchange, 200, { response, client: clientResource(context, client) });
}

const replyClient = (call: Call): void => reply(call, clientResource(call.context, call.client));

function findSession({ client }: Call, id: string | undefined): ClientSession {
  const session = client.sessions.find((candidate) => candidate.id === id);
  if (session === undefined) throw new ClerkApiError(404, "resource_not_found", "No session was found with this id.");
  return session;
}

/** The session that `/v1/me` and `/v1/organizations` are asked for: clerk-js names it. */
function currentSession({ client, exchange }: Call): ClientSession {
  const id = exchange.url.searchParams.get("_clerk_session_id");
  const session = id === null ? client.sessions.at(-1) : client.sessions.find((candidate) => candidate.id === id);
  if (session === undefined) throw new ClerkApiError(401, "authentication_invalid", "Nobody is signed in.");
  return session;
}

function findMembership({ context }: Call, session: ClientSession, organizationId: string | undefined): Membership {
  const membership = context.organizations.findMembership(organizationId, session.userId);
  if (membership === undefined) throw organizationNotFound();
  return membership;
}

/** clerk-js sends what its tab shows: an id, or nothing for the personal account. Absent: somebody else asks, and nothing changes. */
function touch(call: Call, id: string | undefined): void {
  const session = findSession(call, id);
  const organizationId = call.form.get("active_organization_id");
  if (organizationId !== null)
    session.activeOrganizationId =
      organizationId === "" ? undefined : findMembership(call, session, organizationId).organization.id;
  session.lastActiveAt = Date.now();
  reply(call, sessionResource(call.context, session));
}

/** A tab's token is of the tab's organisation, whatever is active in the session: another tab may have switched since. */
function makeToken(call: Call, id: string | undefined): void {
  const session = findSession(call, id);
  const organizationId = call.form.get("organization_id");
  const membership = organizationId ? findMembership(call, session, organizationId) : null;
  const jwt = sessionToken(call.context, session, organizationId === null ? undefined : membership);
  replyJson(call.exchange, 200, { object: "token", jwt });
}

function listMemberships(call: Call, memberships: (session: ClientSession) => readonly Membership[]): void {
  reply(call, membershipPage(call.context, memberships(currentSession(call)), call.exchange.url.searchParams));
}

/** Invitations and their like, which the stand-in has none of. */
const replyEmptyPage = (call: Call): void => {
  currentSession(call);
  reply(
    call,
    pageOf([], call.exchange.url.searchParams, () => ({})),
  );
};

function endSessions({ context, client }: Call, ended: (session: ClientSession) => boolean): void {
  for (const session of client.sessions.filter(ended)) context.sessions.end(session.id);
  client.sessions = client.sessions.filter((session) => !ended(session));
  client.updatedAt = Date.now();
}

function findSignInUser({ context }: Call, identifier: string): UserState {
  const user = context.users.findByEmail(identifier);
  if (user === undefined)
    throw new ClerkApiError(422, "form_identifier_not_found", "Couldn't find your account.", "identifier");
  if (user.banned) throw new ClerkApiError(403, "user_banned", "This account has been banned.");
  return user;
}

function attemptPassword(call: Call): void {
  const { client, form } = call;
  if (client.signIn === null) throw new ClerkApiError(404, "resource_not_found", "There is no sign-in to attempt.");
  const account = findSignInUser(call, client.signIn.identifier);
  if (form.get("password") !== accountPassword)
    throw new ClerkApiError(422, "form_password_incorrect", "Password is incorrect. Try again.", "password");
  const now = Date.now();
  const session: ClientSession = { id: newId("sess"), userId: account.id, createdAt: now, lastActiveAt: now };
  // One session a browser, as `single_session_mode` says: signing in as somebody else replaces it.
  endSessions(call, () => true);
  client.sessions = [session];
  client.signIn = { ...client.signIn, status: "complete", createdSessionId: session.id };
  call.context.sessions.remember(client);
}

function startSignIn(call: Call): void {
  const identifier = call.form.get("identifier") ?? "";
  findSignInUser(call, identifier);
  call.client.signIn = { id: newId("sia"), identifier, status: "needs_first_factor", createdSessionId: null };
  if (call.form.get("strategy") === "password") attemptPassword(call);
}

/** Answers a full page's request for cookies with a redirect back, as `HandshakeService` of @clerk/backend expects it. */
function handshake({ context, exchange, client }: Call): void {
  const redirectUrl = exchange.url.searchParams.get("redirect_url") ?? "";
  const target = URL.canParse(redirectUrl) ? new URL(redirectUrl) : undefined;
  if (target?.origin !== context.appOrigin)
    throw new ClerkApiError(
      400,
      "redirect_url_invalid",
      `This sign-in serves ${context.appOrigin} only: open the app there.`,
    );
  const cookies = publicCookies(context, client).map(
    ([name, value]) => `${name}=${value}; Path=/; SameSite=Lax; Max-Age=${value === "" ? 0 : yearSeconds}`,
  );
  const now = Math.floor(Date.now() / 1000);
  const token = signJwt(context.keys, { handshake: cookies, iat: now, nbf: now - 10, exp: now + 60 });
  target.searchParams.set("__clerk_handshake", token);
  exchange.response.setHeader("cache-control", "no-store");
  exchange.response.writeHead(307, { location: target.href }).end();
}

type Handler = (call: Call, id: string | undefined) => void;

const routes: [method: string, path: RegExp, handler: Handler][] = [
  ["GET", /^\/v1\/client\/handshake$/, handshake],
  [
    "GET",
    /^\/v1\/environment$/,
    ({ exchange, context }) => replyJson(exchange, 200, environmentBlob(context.appOrigin)),
  ],
  [
    "PATCH",
    /^\/v1\/environment$/,
    ({ exchange, context }) => replyJson(exchange, 200, environmentBlob(context.appOrigin)),
  ],
  ["POST", /^\/v1\/dev_browser$/, ({ exchange, client }) => replyJson(exchange, 200, { id: `dvb_${client.id}` })],
  [
    "GET",
    /^\/v1\/client$/,
    // A browser without a client gets none: clerk-js then makes its own, and the first sign-in sets the cookie.
    (call) => (call.hasCookie ? replyClient(call) : replyJson(call.exchange, 200, { response: null, client: null })),
  ],
  ["PUT", /^\/v1\/client$/, replyClient],
  [
    "DELETE",
    /^\/v1\/client(?:\/sessions)?$/,
    (call) => {
      endSessions(call, () => true);
      replyClient(call);
    },
  ],
  [
    "POST",
    /^\/v1\/client\/sign_ins$/,
    (call) => {
      startSignIn(call);
      reply(call, signInResource(call.context, call.client));
    },
  ],
  ["GET", /^\/v1\/client\/sign_ins\/(\w+)$/, (call) => reply(call, signInResource(call.context, call.client))],
  [
    "POST",
    /^\/v1\/client\/sign_ins\/(\w+)\/attempt_first_factor$/,
    (call, id) => {
      if (call.client.signIn?.id !== id)
        throw new ClerkApiError(404, "resource_not_found", "No sign-in was found with this id.");
      attemptPassword(call);
      reply(call, signInResource(call.context, call.client));
    },
  ],
  [
    "GET",
    /^\/v1\/client\/sessions\/(\w+)$/,
    (call, id) => reply(call, sessionResource(call.context, findSession(call, id))),
  ],
  ["POST", /^\/v1\/client\/sessions\/(\w+)\/touch$/, touch],
  ["POST", /^\/v1\/client\/sessions\/(\w+)\/tokens$/, makeToken],
  [
    "POST",
    /^\/v1\/client\/sessions\/(\w+)\/(?:end|remove)$/,
    (call, id) => {
      const session = findSession(call, id);
      endSessions(call, (candidate) => candidate === session);
      reply(call, { ...sessionResource(call.context, session), status: "ended" });
    },
  ],
  [
    "GET",
    /^\/v1\/me$/,
    (call) => {
      const user = call.context.users.find(currentSession(call).userId);
      reply(call, user && signedInUserResource(call.context, user));
    },
  ],
  [
    "GET",
    /^\/v1\/me\/organization_memberships$/,
    (call) => listMemberships(call, ({ userId }) => call.context.organizations.membershipsOf(userId)),
  ],
  [
    "GET",
    /^\/v1\/organizations\/(\w+)$/,
    (call, id) => {
      const { organization } = findMembership(call, currentSession(call), id);
      reply(call, organizationAnswer(call.context, organization));
    },
  ],
  [
    "GET",
    /^\/v1\/organizations\/(\w+)\/memberships$/,
    (call, id) =>
      listMemberships(call, (session) =>
        call.context.organizations.membersOf(findMembership(call, session, id).organization.id),
      ),
  ],
  ["GET", /^\/v1\/me\/organization_(?:invitations|suggestions)$/, replyEmptyPage],
  ["GET", /^\/v1\/organizations\/\w+\/(?:invitations|membership_requests|domains)$/, replyEmptyPage],
];

function openCall(context: FrontendContext, exchange: Exchange, form: URLSearchParams): Call {
  const cookie = cookieValue(exchange.request, clientCookie);
  const client = cookie === undefined ? undefined : openClient(context.keys.sealingKey, cookie);
  const stateBefore = JSON.stringify(client ?? null);
  if (client !== undefined) {
    const oldest = Date.now() - sessionLifetimeMilliseconds;
    client.sessions = client.sessions.filter(
      (session) =>
        session.createdAt > oldest &&
        !context.sessions.hasEnded(session.id) &&
        context.users.find(session.userId)?.banned === false,
    );
    context.sessions.remember(client);
  }
  return { context, exchange, form, client: client ?? newClient(), hasCookie: client !== undefined, stateBefore };
}

/**
 * Clerk's frontend API, for requests that came through the app's own proxy (`clerkFrontendApiProxy`): it alone knows the
 * secret key, so a page of another origin cannot use this port. POSTs are form-encoded; other verbs are a POST with `_method`.
 */
export async function answerFrontend(context: FrontendContext, exchange: Exchange): Promise<void> {
  const { request, url } = exchange;
  if (!secretsMatch(header(request, "clerk-secret-key"), context.keys.secretKey))
    throw new ClerkApiError(401, "secret_key_invalid", "The frontend API answers the app's proxy only.");
  const origin = header(request, "origin");
  if (origin !== undefined && origin !== context.appOrigin)
    throw new ClerkApiError(400, "origin_invalid", `This sign-in serves ${context.appOrigin} only, not ${origin}.`);
  if (url.pathname.startsWith("/npm/")) return servePackageFile(exchange);

  const method = exchange.method === "POST" ? (url.searchParams.get("_method") ?? "POST") : exchange.method;
  for (const [verb, path, handler] of routes) {
    const match = verb === method ? path.exec(url.pathname) : null;
    if (match === null) continue;
    const form = new URLSearchParams(exchange.method === "POST" ? await readBody(request) : "");
    handler(openCall({ ...context, requestOrigin: origin }, exchange, form), match[1]);
    return;
  }
  throw new ClerkApiError(404, "resource_not_found", `The local sign-in has no ${method} ${url.pathname}.`);
}
