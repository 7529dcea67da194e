import { createServerContext, type ServerOptions } from "./context";
import { createHandler, type HttpOptions } from "./http/handler";
import type { IdentityProvider } from "./http/identity";
import { type KeyedHandler, withApiKey } from "./http/with-api-key";
import { type LatchkeyServer, type Verification, verifyApiKey, type VerifyContext } from "./keys";
import { drainPurges, startDraining } from "./outbox/drain";
import { noIdentity } from "./http/no-identity";

/** `latchkey`: what a host app puts together once, and then uses. */
export { fromEnvironment, type EnvironmentOptions } from "./settings/options";
export type { IdentityProvider, Session, Verdict } from "./http/identity";
export {
  type ApiKeyList,
  type ApiKeySummary,
  type ApiKeyUsage,
  type Caller,
  type CreatedApiKey,
  type Effect,
  type LatchkeyServer,
  type RefusalReason,
  type Verification,
  VerificationUnavailableError,
  type VerifiedKey,
} from "./keys";
export { DomainError, type DomainErrorCode } from "./shared/errors";

type Task = () => Promise<void>;

export interface LatchkeyOptions<Scope extends string = string> extends Partial<Omit<ServerOptions, "scopes">> {
  /** A Postgres primary, as a connection string. */
  databaseUrl: string;
  redis: ServerOptions["redis"];
  /** What a key may be allowed to do. A key that is created without scopes gets all of them. */
  scopes?: readonly Scope[];
  /** Who is signed in: `createClerk(…)` of `latchkey/clerk`. Without it nobody is, and keys are only verified. */
  identity?: IdentityProvider;
  http?: Partial<HttpOptions>;
  /**
   * Runs work that need not delay an answer, such as the fill of the cache. The host must let it end, also where a function freezes after its
   * answer: with Next, `(task) => after(task)`. By default it runs at once and is not waited for.
   */
  defer?: (task: Task) => void;
}

export interface Latchkey<Scope extends string = string> {
  /**
   * Decides whether a secret is accepted now, see `verifyApiKey`.
   * @param address the client's, to slow down who tries many unknown keys; absent: not known.
   */
  verify: (secret: string, address?: string | null) => Promise<Verification>;
  /** Protects a route, see `withApiKey` of `latchkey/http`. */
  withApiKey: <RouteContext = unknown>(
    handler: KeyedHandler<RouteContext>,
    options?: { scopes?: readonly NoInfer<Scope>[] },
  ) => (request: Request, routeContext: RouteContext) => Promise<Response>;
  /** All HTTP endpoints below `/api`, from fetch's Request to its Response. */
  handler: (request: Request) => Promise<Response>;
  /** The same below another path, see `createHandler` of `latchkey/http`. */
  createHandler: (options?: { basePath?: string }) => (request: Request) => Promise<Response>;
  /** The domain. `createHandler` of `latchkey/http` and `protect` of `latchkey/trpc` find it here. */
  server: LatchkeyServer;
  identity: IdentityProvider;
  http: HttpOptions;
  scopes: readonly Scope[];
  /** Tries every purge that is due once. @returns how many Redis confirmed, and how many it did not. */
  drain: () => Promise<{ confirmed: number; failed: number }>;
  /** Drains in the background until `close`, for a process that lives long. More than one call starts one drain. */
  startDraining: () => void;
  /** Writes the uses that were counted so far, such as before a process ends. A failed write is kept for the next one. */
  flush: () => Promise<void>;
  /** Writes the uses that were counted, stops the drain and closes the connections. */
  close: () => Promise<void>;
}

/**
 * Puts Latchkey together. It connects to nothing yet, reads no environment and listens to no signal. A process may have more than one.
 * @param options see `fromEnvironment` for those that the settings give.
 * @throws Error that names an option which could never work.
 * @example
 * const latchkey = createLatchkey({ ...fromEnvironment(), scopes: ["reports:read"], defer: (task) => after(task) });
 * const verification = await latchkey.verify("lk_live_…");
 */
export function createLatchkey<const Scope extends string = string>(options: LatchkeyOptions<Scope>): Latchkey<Scope> {
  const { identity = noIdentity, scopes = [], defer = (task: Task) => void task(), http, ...rest } = options;
  const server: VerifyContext = {
    ...createServerContext({
      secretFormat: { prefix: "lk", environment: "live" },
      keyLimit: 5,
      accessFeature: undefined,
      trustedProxyHops: 0,
      logLevel: "info",
      ...rest,
      scopes,
    }),
    defer,
  };
  const latchkey = { server, identity, scopes, http: { ...withoutEndpoints, ...http } };
  let stopDraining: (() => Promise<void>) | undefined;
  const handler = createHandler(latchkey);
  return {
    ...latchkey,
    verify: (secret, address = null) => verifyApiKey(server, secret, address),
    withApiKey: (routeHandler, routeOptions) => withApiKey(latchkey, routeHandler, routeOptions),
    handler,
    createHandler: (handlerOptions) => createHandler(latchkey, handlerOptions),
    drain: () => drainPurges(server),
    startDraining: () => {
      stopDraining ??= startDraining(server);
    },
    flush: () => server.usage.flush(),
    async close() {
      await stopDraining?.();
      await server.usage.flush();
      await server.db.close();
    },
  };
}

/** Endpoints for operators are not there until the host gives their secrets. */
const withoutEndpoints: HttpOptions = {
  appOrigin: "",
  allowedOrigins: [],
  introspectionSecret: undefined,
  cronSecret: undefined,
  metricsSecret: undefined,
};
