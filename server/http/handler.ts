import { readEventBacklog } from "../events";
import { noteExpiringInTime, pruneInTime } from "../history";
import { drainPurges } from "../outbox/drain";
import { readBacklog } from "../outbox/queue";
import type { LatchkeyServer, VerifyContext } from "../keys";
import { openLeakServer } from "../leaks";
import { createEndpoint, type Endpoint, refuseWithStatus } from "./endpoint";
import type { IdentityProvider } from "./identity";
import { createHistoryEndpoint } from "./history";
import { introspect, refuseIntrospection } from "./introspect";
import { createGithubLeakEndpoint, createLeakEndpoint } from "./leaks";
import { createOpenApiDocument } from "./openapi";
import { createOriginalEndpoint } from "./original-endpoint";
import { problemResponse } from "../gateway/problem";
import { checkReadiness } from "./readiness";
import { bearsSecret } from "./shared-secret";
import { takeUses } from "./uses";
import { createRevokeSelf, createWithApiKey } from "./with-api-key";

/** What the endpoints need beside the domain. An endpoint whose secret is undefined answers 404. */
export interface HttpOptions {
  /** Where the app is served, such as `https://example.com`. */
  appOrigin: string;
  /** Origins beside the app's own that may call the original endpoint from a browser. */
  allowedOrigins: readonly string[];
  introspectionSecret: string | undefined;
  cronSecret: string | undefined;
  metricsSecret: string | undefined;
}

/** What `createHandler` uses of the result of `createLatchkey`. */
export interface HandledLatchkey {
  server: LatchkeyServer;
  identity: IdentityProvider;
  http: HttpOptions;
}

/**
 * Makes one handler for all HTTP endpoints: whoami, introspection, reports of found keys, the download of the history, health, metrics,
 * the cron job, the webhook, the original endpoint and the OpenAPI document.
 * @param options `basePath`: what their paths begin with, by default `/api`. Slashes at its ends do not matter.
 * @returns a handler from fetch's Request to its Response. Other paths are answered with 404. It throws what the endpoint throws.
 * @example
 * const handler = createHandler(latchkey, { basePath: "/api" });
 * const response = await handler(new Request("https://example.com/api/health/live"));
 */
export function createHandler(latchkey: HandledLatchkey, { basePath = "/api" }: { basePath?: string } = {}): Endpoint {
  const base = `/${basePath}`.replace(/\/+$/, "").replace(/^\/+/, "/");
  const endpoints = endpointsOf(latchkey, base);
  const nothing = createEndpoint({}, { isThere: () => false });
  const nothingOfVersion1 = createEndpoint({}, { isThere: () => false, refuse: problemResponse });
  return (request) => {
    const { pathname } = new URL(request.url);
    const path = pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : "";
    return (endpoints.get(path) ?? (/^\/v1(\/|$)/.test(path) ? nothingOfVersion1 : nothing))(request);
  };
}

function endpointsOf({ server: passedOn, identity, http }: HandledLatchkey, base: string): Map<string, Endpoint> {
  const server = openLeakServer(passedOn);
  const getContext = () => server;
  const describeKey = createWithApiKey(getContext)((_request, { key }) => {
    const { keyId, ownerId, createdBy, name, environment, scopes, expiresAt, secret } = key;
    return Response.json({ keyId, ownerId, createdBy, name, environment, scopes, expiresAt, secret });
  });
  /** For operators: not there without a secret, and 401 for who does not send it. */
  const guarded = (secret: string | undefined, answer: () => Promise<Response>) =>
    createEndpoint(
      {
        GET: (request) => (bearsSecret(request, secret) ? answer() : new Response(null, { status: 401 })),
      },
      { isThere: () => secret !== undefined, refuse: refuseWithStatus },
    );
  return new Map([
    [
      "/v1/whoami",
      createEndpoint(
        { GET: (request) => describeKey(request, {}), DELETE: createRevokeSelf(getContext) },
        { refuse: problemResponse },
      ),
    ],
    [
      "/v1/introspect",
      createEndpoint(
        { POST: (request) => introspect(server, http.introspectionSecret, request) },
        { isThere: () => http.introspectionSecret !== undefined, refuse: refuseIntrospection },
      ),
    ],
    [
      "/v1/introspect/uses",
      createEndpoint(
        { POST: (request) => takeUses(server, http.introspectionSecret, request) },
        { isThere: () => http.introspectionSecret !== undefined, refuse: refuseIntrospection },
      ),
    ],
    ["/v1/leaks", createLeakEndpoint(server)],
    ["/v1/leaks/github", createGithubLeakEndpoint(server)],
    [
      "/invalidate-user-api-key-cache",
      createOriginalEndpoint({
        getContext,
        identity,
        isAllowedOrigin: (origin) => origin === http.appOrigin || http.allowedOrigins.includes(origin),
      }),
    ],
    ["/history", createHistoryEndpoint(server, identity)],
    // It checks nothing else, so that an outage elsewhere does not end a healthy process.
    ["/health/live", createEndpoint({ GET: () => Response.json({ status: "ok" }) })],
    ["/health/ready", createEndpoint({ GET: () => answerReadiness(server) })],
    // For hosts without a long-lived server.
    ["/cron/purge", guarded(http.cronSecret, () => answerDrain(server))],
    ["/metrics", guarded(http.metricsSecret, () => answerMetrics(server))],
    ["/webhooks/clerk", identity.createWebhook(getContext)],
    ["/openapi.json", createEndpoint({ GET: () => Response.json(createOpenApiDocument(http.appOrigin, base)) })],
  ]);
}

async function answerReadiness(server: VerifyContext): Promise<Response> {
  const { isReady, ...readiness } = await checkReadiness(server);
  return Response.json({ status: isReady ? "ok" : "unavailable", ...readiness }, { status: isReady ? 200 : 503 });
}

/**
 * Tries every purge that waits, due or not. Then it deletes what is older than the history is kept, notes keys that expire soon, and tries every
 * event that waits to be sent.
 */
async function answerDrain(server: VerifyContext): Promise<Response> {
  const { confirmed, failed } = await drainPurges(server, { dueOrNot: true });
  await pruneInTime(server);
  await noteExpiringInTime(server);
  const events = await server.events?.sendAll();
  return Response.json({ confirmed, failed, events });
}

/** This process's metrics in Prometheus's text format. They are needed most while the database is down. */
async function answerMetrics({ db, metrics, events }: VerifyContext): Promise<Response> {
  const backlog = await readBacklog(db).catch(() => null);
  const eventBacklog = events ? await readEventBacklog(db).catch(() => null) : undefined;
  const { text, contentType } = await metrics.render(backlog, eventBacklog);
  return new Response(text, { headers: { "Content-Type": contentType } });
}
