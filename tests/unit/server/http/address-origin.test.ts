import { describe, expect, it } from "vitest";

import { addressOrigin } from "@/server/http/address-origin";

describe("the origin of an address", () => {
  it.each(["203.0.113.7", " 203.0.113.7 ", "203.0.113.7:41522", '"203.0.113.7:41522"', "[203.0.113.7]:1"])(
    "is an IPv4 address, written %s",
    (entry) => {
      expect(addressOrigin(entry)).toBe("203.0.113.7");
    },
  );

  it.each([
    "::ffff:203.0.113.7",
    "::FFFF:203.0.113.7",
    "::ffff:cb00:7107",
    "0:0:0:0:0:ffff:CB00:7107",
    "[::ffff:203.0.113.7]:443",
    "64:ff9b::203.0.113.7",
    "64:ff9b::cb00:7107",
    "2002:cb00:7107:5::1",
  ])("is the IPv4 address inside of IPv6, written %s", (entry) => {
    expect(addressOrigin(entry)).toBe("203.0.113.7");
  });

  it.each([
    "2001:db8::1",
    "2001:DB8::1",
    "2001:0db8:0000:0000:0000:0000:0000:0002",
    "2001:db8::ffff:ffff:ffff:ffff",
    "2001:db8:0:0:1::",
    "2001:db8::192.0.2.1",
    "[2001:db8::1]",
    "[2001:db8::1]:4711",
    '"[2001:db8::1]:4711"',
    "2001:db8::1%eth0",
    "[2001:db8::1%25en0]:80",
  ])("is the IPv6 network of 64 bits, written %s", (entry) => {
    expect(addressOrigin(entry)).toBe("2001:db8:0:0::/64");
  });

  it("differs between addresses of different clients", () => {
    const entries = ["203.0.113.7", "203.0.113.8", "2001:db8::1", "2001:db8:0:1::1", "2001:db8:1::1", "fe80::1", "::1"];
    expect(new Set(entries.map(addressOrigin)).size).toBe(entries.length);
  });

  it.each([
    "",
    "unknown",
    "_hidden",
    "client.example.test",
    "203.0.113",
    "203.0.113.7.1",
    "203.0.113.007",
    "203.0.113.256",
    "203.0.113.7:port",
    "203.0.113.7:1:2",
    "2001:db8::1::2",
    "[2001:db8::1",
    "[2001:db8::1]:x",
    "12345::",
    "for=203.0.113.7",
    "%",
    "[]",
    "x".repeat(10_000),
  ])("is the common one for what is no address: %s", (entry) => {
    expect(addressOrigin(entry)).toBe("no address");
  });
});
