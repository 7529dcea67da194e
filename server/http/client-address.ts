import { addressOrigin } from "./address-origin";

/**
 * Finds the client's address in X-Forwarded-For, to which each proxy of ours appends one entry. The client's is the entry at `trustedHops`
 * from the right. The client itself sent what stands further left, so that proves nothing. `Forwarded` (RFC 7239) is not read: proxies that
 * write the other header let it pass as the client sent it.
 * @param trustedHops how many proxies of ours append to the header.
 * @returns the origin of the address, see `addressOrigin`. Null without trusted proxies, and when the header has too few entries, since the
 *   request then did not come through them.
 */
export function clientAddress(headers: Headers, trustedHops: number): string | null {
  if (trustedHops === 0) return null;
  const entry = headers.get("x-forwarded-for")?.split(",").at(-trustedHops);
  return entry === undefined ? null : addressOrigin(entry);
}
