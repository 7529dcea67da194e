import { auth } from "@clerk/nextjs/server";

import type { Endpoint } from "../http/endpoint";
import type { IdentityProvider } from "../http/identity";
import type { ServerContext } from "../keys/context";
import { verifyBearer } from "./bearer";
import { isOfAnotherSite, readSession } from "./session";
import { createWebhook } from "./webhook";

export interface ClerkOptions {
  secretKey: string;
  /** The public key of the Clerk instance (PEM). With it sessions are verified without a network call. */
  jwtKey: string | undefined;
  apiUrl: string | undefined;
  /** Undefined: there is no webhook endpoint. */
  webhookSecret: string | undefined;
  /** Session tokens are accepted for this origin only. */
  appOrigin: string;
  accessFeature: string | undefined;
}

export interface Clerk extends IdentityProvider {
  /** Whether this request brought a session token that names another site, or none (decision 008). */
  isSessionOfAnotherSite(): Promise<boolean>;
  /** The endpoint for Clerk's events. */
  createWebhook(getContext: () => ServerContext): Endpoint;
}

/** Makes the adapter to Clerk: sessions, bearers, webhooks and plans. No other folder of server/ knows Clerk; they get `IdentityProvider`. */
export function createClerk(options: ClerkOptions): Clerk {
  return {
    readSession: async () => readSession(await auth(), options.accessFeature),
    isSessionOfAnotherSite: async () => isOfAnotherSite(await auth()),
    verifyBearer: (request) => verifyBearer(request, options),
    createWebhook: (getContext) => createWebhook(options, getContext),
  };
}
