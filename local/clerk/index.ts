import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { accountPassword, accounts } from "./accounts";
import { answerBackend, browserSession, type BrowserCookie, type BrowserSessionOptions } from "./backend-api";
import { answerFrontend, proxyPath, type FrontendContext } from "./frontend-api";
import { ClerkApiError, header, replyError } from "./http-exchange";
import { loadLocalKeys, publishableKey } from "./keys";
import { OrganizationRegistry } from "./organization-registry";
import { SessionRegistry } from "./session-registry";
import { mintSessionToken, type SessionTokenOptions } from "./session-token";
import { UserRegistry } from "./user-registry";

export { loadLocalKeys } from "./keys";
export { mintSessionToken, type SessionTokenOptions } from "./session-token";
export type { BrowserSessionOptions } from "./backend-api";
export type { MembershipChangeOptions, OrganizationChangeOptions, UserChangeOptions } from "./test-changes";
export { signWebhook, type WebhookEvent } from "./webhooks";

export type LocalClerk = {
  port: number;
  /** What the app must be started with, and built with: the NEXT_PUBLIC_ values are compiled in. */
  environment: Record<string, string>;
  accounts: { id: string; email: string; password: string; note: string }[];
  /** A session token for tests of endpoints that take one; `azp` is the app's origin unless told. */
  mintSessionToken(options: Omit<SessionTokenOptions, "azp"> & { azp?: string | null }): string;
  /** The cookies of a browser that is signed in, for tests; the only way to an impersonated session. */
  browserSession(options: BrowserSessionOptions): BrowserCookie[];
  stop(): Promise<void>;
};

/**
 * Starts a stand-in for Clerk's servers on 127.0.0.1, for one app at `appOrigin`; its keys live in `directory`. `port` 0 or
 * absent: any free one. Rejects when the port is taken or the keys cannot be read or written.
 */
export async function startLocalClerk(options: {
  directory: string;
  appOrigin: string;
  port?: number;
  /** The custom permissions that the role `org:admin` has. */
  adminPermissions?: readonly string[];
}): Promise<LocalClerk> {
  const keys = await loadLocalKeys(options.directory);
  const appOrigin = new URL(options.appOrigin).origin;
  const context: FrontendContext = {
    keys,
    appOrigin,
    sessions: new SessionRegistry(),
    users: new UserRegistry(),
    organizations: new OrganizationRegistry(options.adminPermissions ?? ["org:api_keys:manage"]),
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const exchange = { request, response, method: request.method ?? "GET", url };
    // The app's proxy always sets this header, so nothing that came through it reaches the backend API.
    const answer = header(request, "clerk-proxy-url") === undefined ? answerBackend : answerFrontend;
    answer(context, exchange).catch((error: unknown) => {
      if (!(error instanceof ClerkApiError)) console.error("local sign-in:", error);
      if (response.headersSent) response.destroy();
      else
        replyError(
          exchange,
          error instanceof ClerkApiError ? error : new ClerkApiError(500, "internal", "Internal error."),
        );
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;

  return {
    port,
    environment: {
      NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: publishableKey,
      NEXT_PUBLIC_CLERK_PROXY_URL: proxyPath,
      NEXT_PUBLIC_CLERK_SIGN_IN_URL: "/sign-in",
      NEXT_PUBLIC_CLERK_TELEMETRY_DISABLED: "1",
      NEXT_PUBLIC_CLERK_UNSAFE_DISABLE_DEVELOPMENT_MODE_CONSOLE_WARNING: "1",
      CLERK_SECRET_KEY: keys.secretKey,
      CLERK_JWT_KEY: keys.publicKeyPem,
      CLERK_FAPI_URL: url,
      CLERK_API_URL: url,
      CLERK_WEBHOOK_SIGNING_SECRET: keys.webhookSecret,
      API_ACCESS_FEATURE: "api_access",
    },
    accounts: accounts.map(({ id, email, note }) => ({ id, email, note, password: accountPassword })),
    mintSessionToken: (token) => mintSessionToken(keys, { azp: appOrigin, ...token }),
    browserSession: (session) => browserSession(context, session),
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
