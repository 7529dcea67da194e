import { describe, expect, it } from "vitest";

import { clientAddress } from "@/server/http/client-address";
import { createCallWindow } from "@/server/platform/call-window";

describe("the client's address", () => {
  const headers = new Headers({ "x-forwarded-for": "1.1.1.1, 2.2.2.2 , 3.3.3.3" });

  it("is the entry that our own proxies have appended, never one that the client sent", () => {
    expect(clientAddress(headers, 1)).toBe("3.3.3.3");
    expect(clientAddress(headers, 2)).toBe("2.2.2.2");
  });

  it("is unknown without trusted proxies, or when the header is too short or absent", () => {
    expect(clientAddress(headers, 0)).toBeNull();
    expect(clientAddress(headers, 4)).toBeNull();
    expect(clientAddress(new Headers(), 1)).toBeNull();
  });

  it("is that of the entry in X-Forwarded-For, whatever a client writes into Forwarded", () => {
    const both = new Headers({ "x-forwarded-for": "203.0.113.7:41522", forwarded: "for=198.51.100.1" });
    expect(clientAddress(both, 1)).toBe("203.0.113.7");
    expect(clientAddress(new Headers({ forwarded: "for=198.51.100.1" }), 1)).toBeNull();
  });

  it("is one and the same for whatever is no address, so that nobody can choose another", () => {
    const addresses = ["unknown", "_hidden", "x", ""].map((entry) =>
      clientAddress(new Headers({ "x-forwarded-for": `1.1.1.1, ${entry}` }), 1),
    );
    expect(new Set(addresses).size).toBe(1);
    expect(addresses[0]).not.toBeNull();
  });
});

describe("calls of a minute", () => {
  it("are not counted for longer when the clock is set back: nobody is refused for an hour", () => {
    let now = 10_000_000;
    const calls = createCallWindow({ allowed: 2, now: () => new Date(now) });
    for (const who of ["a", "a", "b"]) calls.note(who);
    expect(calls.secondsToWait("a")).toBe(60);
    now -= 3_600_000;
    expect(calls.secondsToWait("a")).toBe(0);
    calls.note("b");
    expect(calls.secondsToWait("b")).toBe(0);
    calls.note("b");
    expect(calls.secondsToWait("b")).toBe(60);
  });

  it("make an address wait for the rest of its minute after as many as are allowed", () => {
    const start = 1_000_000;
    let now = start;
    const attempts = createCallWindow({ allowed: 30, now: () => new Date(now) });
    for (let failure = 0; failure < 29; failure++) attempts.note("a");
    expect(attempts.secondsToWait("a")).toBe(0);
    now = start + 20_000;
    attempts.note("a");
    expect(attempts.secondsToWait("a")).toBe(40);
    expect(attempts.secondsToWait("b")).toBe(0);
    now = start + 60_001;
    expect(attempts.secondsToWait("a")).toBe(0);
  });

  it("are bounded: the oldest address makes room", () => {
    const attempts = createCallWindow({ allowed: 30, now: () => new Date(0) });
    for (let failure = 0; failure < 30; failure++) attempts.note("first");
    for (let other = 0; other < 10_000; other++) attempts.note(String(other));
    expect(attempts.secondsToWait("first")).toBe(0);
  });
});
