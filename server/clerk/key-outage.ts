/** Clerk gives these reasons when it calls a session signed out although it could not check it (found by running it). */
const reasons = ["jwk-remote-failed-to-load", "jwk-failed-to-resolve", "unexpected-error"];

/** Whether a reason means that Clerk's signing keys could not be fetched. It then says nothing about the token. */
export function isKeyOutage(reason: string): boolean {
  return reasons.includes(reason);
}
