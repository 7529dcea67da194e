import { createEndpoint } from "./endpoint";
import type { IdentityProvider } from "./identity";

/** The sign-in of a process that only verifies keys: nobody is signed in, and no events arrive. */
export const noIdentity: IdentityProvider = {
  readSession: () => Promise.resolve({ status: "signed_out" }),
  verifyBearer: () => Promise.resolve({ status: "signed_out" }),
  createWebhook: () => createEndpoint({}, { isThere: () => false }),
};
