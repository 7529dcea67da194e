import { isIPv4, isIPv6 } from "node:net";

/** All texts that are no address count as this one. Otherwise somebody who can choose the text could look new each time. */
const noAddress = "no address";

/**
 * The name under which the attempts of one client are counted: its IPv4 address, or the IPv6 network of 64 bits that it is in. A subscriber
 * has at least such a network and may choose any address in it. A proxy may write an address with a port, in brackets or quotes, with a
 * zone, in any case or compression, or as IPv4 inside of IPv6. The result is the same.
 * @param entry one entry of X-Forwarded-For.
 * @returns `203.0.113.7` or `2001:db8:0:1::/64`. Everything that is no address, such as `unknown`, gives one common text.
 */
export function addressOrigin(entry: string): string {
  const host = hostOf(entry.trim().replace(/^"(.*)"$/, "$1"));
  if (isIPv4(host)) return host;
  return isIPv6(host) ? ipv6Origin(groupsOf(host)) : noAddress;
}

/** The address without port, brackets and zone. An IPv6 address without brackets has no port, since nobody could tell it from a group. */
function hostOf(address: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(address)?.[1];
  const host = bracketed ?? address.replace(/^([^:]*):\d+$/, "$1");
  return host.replace(/%.*$/, "");
}

/** The eight groups of an IPv6 address as numbers. The URL parser reads every way to write one, and always writes the same. */
function groupsOf(ipv6: string): number[] {
  const [start = "", end = ""] = new URL(`http://[${ipv6}]`).hostname.slice(1, -1).split("::");
  const [first, last] = [start, end].map((part) => (part === "" ? [] : part.split(":"))) as [string[], string[]];
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => "0");
  return [...first, ...zeros, ...last].map((group) => parseInt(group, 16));
}

function ipv6Origin(groups: readonly number[]): string {
  const prefix = groups.map((group) => group.toString(16));
  const start = prefix.slice(0, 6).join(":");
  // ::ffff:0:0/96 is IPv4 written as IPv6 (RFC 4291). 64:ff9b::/96 comes out of a NAT64 (RFC 6052). Both hold a client's IPv4 address.
  if (start === "0:0:0:0:0:ffff" || start === "64:ff9b:0:0:0:0") return ipv4Of(groups.slice(6));
  // 2002::/16 is 6to4 (RFC 3056). One IPv4 address has 65,536 networks there, so the IPv4 address is what counts.
  if (prefix[0] === "2002") return ipv4Of(groups.slice(1, 3));
  return `${prefix.slice(0, 4).join(":")}::/64`;
}

function ipv4Of(groups: readonly number[]): string {
  return groups.flatMap((group) => [group >> 8, group & 0xff]).join(".");
}
