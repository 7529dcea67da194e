import type { Caller } from "../keys/access";
import type { LatchkeyServer } from "../keys/context";
import type { Endpoint } from "./endpoint";

/** What the sign-in says of the caller. */
export type Verdict<SignedIn> =
  | ({ status: "signed_in" } & SignedIn)
  | { status: "signed_out" }
  /** The signing keys could not be fetched: nobody knows whether this session is good. */
  | { status: "unavailable" };

export type Session = Verdict<{ caller: Caller }>;

/** What the app needs of a sign-in. `latchkey/clerk` implements it. */
export interface IdentityProvider {
  /**
   * Who is signed in, in the request that is being handled now, and for whom they act. A request that was made for another owner, see
   * `expectedOwnerHeader`, is of nobody.
   */
  readSession(): Promise<Session>;
  /** Whose session token `Authorization: Bearer` holds, and for whom they act. This call verifies it. Cookies are not read. */
  verifyBearer(request: Request): Promise<Verdict<{ userId: string; ownerId: string }>>;
  /** The endpoint for the sign-in's events about accounts. */
  createWebhook(getServer: () => LatchkeyServer): Endpoint;
}
