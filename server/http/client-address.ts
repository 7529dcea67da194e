import { addressOrigin } from "./address-origin";

/**
 * Who a request is counted as: the entry at `trustedHops` from the right of X-Forwarded-For, which that many proxies of ours have
 * appended. What stands further left was sent by the client and proves nothing. Neither does `Forwarded` (RFC 7239): it is not read,
 * since a client could send it past proxies that write the other header.
 * @returns the origin of the address, see `addressOrigin`. Null without trusted proxies, or when the header is too short: then the
 *   request did not come through them.
 */
export function clientAddress(headers: Headers, trustedHops: number): string | null {
  if (trustedHops === 0) return null;
  const entry = headers.get("x-forwarded-for")?.split(",").at(-trustedHops);
  return entry === undefined ? null : addressOrigin(entry);
}
