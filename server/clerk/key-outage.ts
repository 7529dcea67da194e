/** Clerk's reasons for calling a session signed out although it could not check it (found by running it). */
const reasons = ["jwk-remote-failed-to-load", "jwk-failed-to-resolve", "unexpected-error"];

/** Whether a reason speaks of Clerk's signing keys, which could not be fetched, and not of the token. */
export function isKeyOutage(reason: string): boolean {
  return reasons.includes(reason);
}
