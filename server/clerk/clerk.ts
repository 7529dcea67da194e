import { auth } from "@clerk/nextjs/server";

import type { Endpoint } from "../http/endpoint";
import type { IdentityProvider } from "../http/identity";
import type { ServerContext } from "../keys/context";
import { verifyBearer } from "./bearer";
import { isOfAnotherSite, readSession } from "./session";
import { createWebhook } from "./webhook";

export interface ClerkOptions {
  secretKey: string;
  /** The instance's public key (PEM): sessions are then verified without a network call. */
  jwtKey: string | undefined;
  apiUrl: string | undefined;
  /** Undefined: there is no webhook endpoint. */
  webhookSecret: string | undefined;
  /** The only origin for which session tokens are good. */
  appOrigin: string;
  accessFeature: string | undefined;
}

export interface Clerk extends IdentityProvider {
  /** Whether this request brought a session token that was made for another site, or names none (decision 008). */
  isSessionOfAnotherSite(): Promise<boolean>;
  /** The endpoint for Clerk's events. */
  createWebhook(getContext: () => ServerContext): Endpoint;
}

/** The one adapter to Clerk: sessions, bearers, webhooks and plans. Everything else knows only `IdentityProvider`. */
export function createClerk(options: ClerkOptions): Clerk {
  return {
    readSession: async () => readSession(await auth(), options.accessFeature),
    isSessionOfAnotherSite: async () => isOfAnotherSite(await auth()),
    verifyBearer: (request) => verifyBearer(request, options),
    createWebhook: (getContext) => createWebhook(options, getContext),
  };
}
