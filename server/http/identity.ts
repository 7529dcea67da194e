import type { Caller } from "../keys/access";
import type { LatchkeyServer } from "../keys/context";
import type { Endpoint } from "./endpoint";

/** What the sign-in says of the caller. */
export type Verdict<SignedIn> =
  | ({ status: "signed_in" } & SignedIn)
  | { status: "signed_out" }
  /** The signing keys could not be fetched: nobody knows whether this session is good. */
  | { status: "unavailable" };

export type Session =
  | Verdict<{ caller: Caller }>
  /** The request was made for another owner than the session acts for, see `expectedOwnerHeader`. It is refused like one of nobody. */
  | { status: "other_owner" };

/** What the app needs of a sign-in. `latchkey/clerk` implements it. */
export interface IdentityProvider {
  /**
   * Who is signed in, in the request that is being handled now, and for whom they act.
   */
  readSession(): Promise<Session>;
  /** Whose session token `Authorization: Bearer` holds, and for whom they act. This call verifies it. Cookies are not read. */
  verifyBearer(request: Request): Promise<Verdict<{ userId: string; ownerId: string }>>;
  /** The endpoint for the sign-in's events about accounts. */
  createWebhook(getServer: () => LatchkeyServer): Endpoint;
}
