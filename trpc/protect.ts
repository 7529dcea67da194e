import { TRPCError } from "@trpc/server";

import type { IdentityProvider } from "../server/http/identity";
import type { LatchkeyServer } from "../server/keys";
import { otherOwnerMessage } from "../server/shared/expected-owner";
import { DomainError } from "../server/shared/errors";
import type { ApiKeysContext, Procedure } from "./api-keys-router";
import { toTrpcError } from "./errors";

/** What `protect` uses of the result of `createLatchkey`. */
export interface ProtectingLatchkey {
  server: LatchkeyServer;
  identity: Pick<IdentityProvider, "readSession">;
}

/**
 * Makes a procedure for signed-in users out of one for everybody. It puts `server` and `caller` into the context.
 * @param procedure such as `t.procedure`, or T3's `publicProcedure`.
 * @param getLatchkey is called for each request, so that a build needs no settings.
 * @returns a procedure for `createApiKeysRouter`. It refuses with UNAUTHORIZED who is not signed in, and who is signed in as another account
 *   than the one that the page was made for. It fails with SERVICE_UNAVAILABLE while the sign-in cannot be asked.
 */
export function protect<RootContext extends object, Meta extends object, Added extends object>(
  procedure: Procedure<RootContext, Meta, Added>,
  getLatchkey: () => ProtectingLatchkey,
): Procedure<RootContext, Meta, ApiKeysContext> {
  // Nothing of the host's context is used, so any will do.
  const hostProcedure = procedure as unknown as Procedure<object, object, object>;
  const signedIn: Procedure<object, object, ApiKeysContext> = hostProcedure.use(async ({ next }) => {
    const { server, session } = await readSession(getLatchkey);
    if (session.status === "unavailable") throw toTrpcError(unavailable());
    if (session.status === "other_owner") throw new TRPCError({ code: "UNAUTHORIZED", message: otherOwnerMessage });
    if (session.status === "signed_out") throw new TRPCError({ code: "UNAUTHORIZED", message: "Sign in first." });
    return next({ ctx: { server, caller: session.caller } });
  });
  return signedIn as unknown as Procedure<RootContext, Meta, ApiKeysContext>;
}

/** The adapter is the host's own: what it throws may say more than a client should read. */
async function readSession(getLatchkey: () => ProtectingLatchkey) {
  try {
    const { server, identity } = getLatchkey();
    return { server, session: await identity.readSession() };
  } catch (cause) {
    throw toTrpcError(new TRPCError({ code: "INTERNAL_SERVER_ERROR", cause }));
  }
}

const unavailable = () => {
  const cause = new DomainError("SERVICE_UNAVAILABLE");
  return new TRPCError({ code: "SERVICE_UNAVAILABLE", message: cause.message, cause });
};
