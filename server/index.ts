import { createServerContext } from "./context";
import { startEvents } from "./events";
import { createPruner } from "./history";
import { createHandler, type HttpOptions } from "./http/handler";
import type { IdentityProvider } from "./http/identity";
import { type KeyedHandler, withApiKey } from "./http/with-api-key";
import { type LatchkeyServer, type Verification, verifyApiKey } from "./keys";
import type { LeakContext } from "./leaks";
import { checkOptions, type LatchkeyOptions } from "./options";
import { drainPurges, startDraining } from "./outbox/drain";
import { createRunning } from "./running";

/** `latchkey`: what a host app puts together once, and then uses. */
export { fromEnvironment, type EnvironmentOptions } from "./settings/options";
export type { IdentityProvider, Session, Verdict } from "./http/identity";
export {
  type Adopt,
  type AdoptedKey,
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
export type { KeyEventPage } from "./history";
export type { LatchkeyOptions } from "./options";
export { DomainError, type DomainErrorCode } from "./shared/errors";
export type { Actor, ActorKind, KeyEvent, KeyEventAction, KeyEventDetail } from "./shared/key-event";

export interface Latchkey<Scope extends string = string> {
  /**
   * Decides whether a secret is accepted now.
   * @param address the client's, to slow down who tries many unknown keys; absent: not known.
   * @throws VerificationUnavailableError when there can be no verdict: the key may be good.
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
  /**
   * Drains in the background until `close`, for a process that lives long. It also deletes what is older than the history is kept, notes keys
   * that expire soon, and sends events. More than one call starts it once.
   */
  startDraining: () => void;
  /** Writes the uses that were counted so far, such as before a process ends. A failed write is kept for the next one. */
  flush: () => Promise<void>;
  /**
   * Stops the drain, waits up to 10 s for what is running (verifications, requests, deferred tasks that the host has started), writes the uses
   * that were counted, and closes the connections. A second call waits for the first one. Nothing can be verified afterwards.
   */
  close: () => Promise<void>;
}

/**
 * Puts Latchkey together. It connects to nothing yet, reads no environment and listens to no signal. A process may have more than one.
 * @param options see `fromEnvironment` for those that the settings give.
 * @throws Error that names every option that is missing, unknown, or could never work. It repeats no value.
 * @example
 * const latchkey = createLatchkey({ ...fromEnvironment(), scopes: ["reports:read"], defer: (task) => after(task) });
 * const verification = await latchkey.verify("lk_live_…");
 */
export function createLatchkey<const Scope extends string = string>(options: LatchkeyOptions<Scope>): Latchkey<Scope> {
  const { identity, http, defer, ...rest } = checkOptions(options);
  const running = createRunning();
  const server: LeakContext = {
    ...createServerContext(rest),
    defer: (task) => defer(() => running.wait(task())),
  };
  const latchkey = { server, identity, scopes: options.scopes ?? [], http };
  let stopDraining: (() => Promise<void>) | undefined;
  let closing: Promise<void> | undefined;
  const createWaitedHandler = (handlerOptions?: { basePath?: string }) => {
    const handle = createHandler(latchkey, handlerOptions);
    return (request: Request) => running.wait(handle(request));
  };
  function startAll() {
    const stops = [startDraining(server, undefined, createPruner(server)), startEvents(server)];
    return async () => {
      await Promise.all(stops.map((stop) => stop()));
    };
  }
  async function close() {
    await stopDraining?.();
    await running.end();
    await server.usage.flush();
    server.redis.close();
    await server.db.close();
  }
  return {
    ...latchkey,
    verify: (secret, address = null) => running.wait(verifyApiKey(server, secret, address)),
    withApiKey: (routeHandler, routeOptions) => {
      const handle = withApiKey(latchkey, routeHandler, routeOptions);
      return (request, routeContext) => running.wait(handle(request, routeContext));
    },
    handler: createWaitedHandler(),
    createHandler: createWaitedHandler,
    drain: () => running.wait(drainPurges(server)),
    startDraining: () => {
      if (!closing) stopDraining ??= startAll();
    },
    flush: () => server.usage.flush(),
    close: () => (closing ??= close()),
  };
}
