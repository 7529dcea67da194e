import type { Caller } from "../keys/access";

/** What the sign-in says of whoever calls. */
export type Verdict<SignedIn> =
  | ({ status: "signed_in" } & SignedIn)
  | { status: "signed_out" }
  /** The signing keys could not be fetched: nobody knows whether this session is good. */
  | { status: "unavailable" };

export type Session = Verdict<{ caller: Caller }>;

/** What the app needs of a sign-in. `server/clerk` is the one that there is. */
export interface IdentityProvider {
  /** Who is signed in, as verified for the request that is being handled. */
  readSession(): Promise<Session>;
  /** Whom the session token in `Authorization: Bearer` belongs to. Verified here and now; cookies never count. */
  verifyBearer(request: Request): Promise<Verdict<{ userId: string }>>;
}
