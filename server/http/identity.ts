import type { Caller } from "../keys/access";

/** What the sign-in says of the caller. */
export type Verdict<SignedIn> =
  | ({ status: "signed_in" } & SignedIn)
  | { status: "signed_out" }
  /** The signing keys could not be fetched: nobody knows whether this session is good. */
  | { status: "unavailable" };

export type Session = Verdict<{ caller: Caller }>;

/** What the app needs of a sign-in. `server/clerk` implements it. */
export interface IdentityProvider {
  /** Who is signed in, in the request that is being handled now. */
  readSession(): Promise<Session>;
  /** Whose session token `Authorization: Bearer` holds. This call verifies it. Cookies are not read. */
  verifyBearer(request: Request): Promise<Verdict<{ userId: string }>>;
}
