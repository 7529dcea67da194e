import { auth, createClerkClient } from "@clerk/nextjs/server";
import { headers } from "next/headers";

import type { IdentityProvider } from "../http/identity";
import { expectedOwnerHeader } from "../shared/expected-owner";
import { verifyBearer } from "./bearer";
import { createOrganizationNames } from "./organization-names";
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
  /** The custom permission that lets a member change an organisation's keys. Undefined: the role `org:admin` does. */
  orgPermission: string | undefined;
}

export interface Clerk extends IdentityProvider {
  /** Whether this request brought a session token that names another site, or none (decision 008). */
  isSessionOfAnotherSite(): Promise<boolean>;
}

/**
 * Makes the adapter to Clerk: sessions, bearers, organisations, webhooks and plans. No other folder of server/ knows Clerk; they get
 * `IdentityProvider`.
 * @param options the settings of the Clerk instance, see `fromEnvironment`.
 * @example
 * const latchkey = createLatchkey({ ...settings, identity: createClerk(settings.clerk) });
 */
export function createClerk(options: ClerkOptions): Clerk {
  const { secretKey, apiUrl } = options;
  const getClient = () => createClerkClient({ secretKey, ...(apiUrl && { apiUrl }) });
  const names = createOrganizationNames(async (organizationId) => {
    const { name } = await getClient().organizations.getOrganization({ organizationId });
    return name;
  });
  return {
    async readSession() {
      const session = await readSession(await auth(), options, (id) => names.nameOf(id));
      const expectedOwner = (await headers()).get(expectedOwnerHeader);
      const isOfAnother =
        session.status === "signed_in" && expectedOwner !== null && session.caller.ownerId !== expectedOwner;
      return isOfAnother ? { status: "other_owner" } : session;
    },
    isSessionOfAnotherSite: async () => isOfAnotherSite(await auth(), options.appOrigin),
    verifyBearer: (request) => verifyBearer(request, options),
    createWebhook: (getServer) =>
      createWebhook(options, { getServer, getClient, refreshName: (id) => names.refresh(id) }),
  };
}
