import { describe, expect, it } from "vitest";

import { readCredentials } from "@/server/http/credentials";

const read = (headers: Record<string, string>) => readCredentials(new Headers(headers), "lk");

describe("readCredentials", () => {
  it("takes the key from either header, and from both when they agree", () => {
    const key = { kind: "key", secret: "lk_test_a" };
    expect(read({ authorization: "Bearer lk_test_a" })).toEqual(key);
    expect(read({ authorization: "bearer   lk_test_a" })).toEqual(key);
    expect(read({ "x-api-key": "lk_test_a" })).toEqual(key);
    expect(read({ authorization: "Bearer lk_test_a", "x-api-key": "lk_test_a" })).toEqual(key);
  });

  it("chooses none of two different keys", () => {
    expect(read({ authorization: "Bearer lk_test_a", "x-api-key": "lk_test_b" })).toEqual({ kind: "ambiguous" });
    expect(read({ authorization: "Bearer lk_test_a", "x-api-key": "nonsense" })).toEqual({ kind: "ambiguous" });
  });

  it("treats an empty header as absent", () => {
    expect(read({})).toEqual({ kind: "none" });
    expect(read({ authorization: "", "x-api-key": "" })).toEqual({ kind: "none" });
    expect(read({ authorization: "Bearer ", "x-api-key": "  " })).toEqual({ kind: "none" });
    expect(read({ authorization: "Bearer ", "x-api-key": "lk_test_a" })).toEqual({ kind: "key", secret: "lk_test_a" });
    expect(read({ authorization: "Bearer lk_test_a", "x-api-key": "" })).toEqual({ kind: "key", secret: "lk_test_a" });
  });

  it("ignores somebody else's bearer beside a key, and alone calls it no key", () => {
    expect(read({ authorization: "Bearer eyJhbGciOi", "x-api-key": "lk_test_a" })).toMatchObject({
      secret: "lk_test_a",
    });
    expect(read({ authorization: "Bearer eyJhbGciOi" })).toEqual({ kind: "foreign" });
    expect(read({ authorization: "Basic bGs6eA==" })).toEqual({ kind: "none" });
  });

  it("never looks at a cookie", () => {
    expect(read({ cookie: "x-api-key=lk_test_a; authorization=Bearer lk_test_a" })).toEqual({ kind: "none" });
  });

  it("counts a repeated header once when its lines are equal, and chooses none of different ones", () => {
    const repeated = (name: string, ...values: string[]) => {
      const headers = new Headers();
      for (const value of values) headers.append(name, value);
      return readCredentials(headers, "lk");
    };
    const key = { kind: "key", secret: "lk_test_a" };
    expect(repeated("x-api-key", "lk_test_a", "lk_test_a")).toEqual(key);
    expect(repeated("x-api-key", "lk_test_a", "", "lk_test_a")).toEqual(key);
    expect(repeated("x-api-key", "lk_test_a", "lk_test_b")).toEqual({ kind: "ambiguous" });
    expect(repeated("x-api-key", "lk_test_a", "nonsense")).toEqual({ kind: "ambiguous" });
    expect(repeated("authorization", "Bearer lk_test_a", "bearer lk_test_a")).toEqual(key);
    for (const other of ["Bearer lk_test_b", "Token lk_test_b", "lk_test_b", "Bearer eyJhbGciOi"]) {
      expect(repeated("authorization", "Bearer lk_test_a", other)).toEqual({ kind: "ambiguous" });
      expect(repeated("authorization", other, "Bearer lk_test_a")).toEqual({ kind: "ambiguous" });
    }
  });

  it("chooses none of two keys of which one is in a wrong form", () => {
    for (const authorization of ["Token lk_test_b", "lk_test_b", `Basic ${btoa("lk_test_b:")}`, "Bearer lk_test_b;"])
      expect(read({ authorization, "x-api-key": "lk_test_a" })).toEqual({ kind: "ambiguous" });
    expect(read({ authorization: "Bearer lk_test_a", "x-api-key": '"lk_test_b"' })).toEqual({ kind: "ambiguous" });
  });

  /** Headers carry bytes: what was typed as UTF-8 arrives as latin-1. */
  const asBytes = (text: string) => Buffer.from(text, "utf8").toString("latin1");

  it.each([
    ["quotes", { "x-api-key": '"lk_test_a"' }, /quotes/],
    ["a quote at one end only", { "x-api-key": "lk_test_a'" }, /quotes/],
    ["quotes after Bearer", { authorization: 'Bearer "lk_test_a"' }, /quotes/],
    ["curly quotes", { authorization: asBytes("Bearer “lk_test_a”") }, /curly quotes/],
    ["Bearer in the other header", { "x-api-key": "Bearer lk_test_a" }, /remove the word `Bearer`/],
    ["Bearer twice", { authorization: "Bearer Bearer lk_test_a" }, /`Bearer` once/],
    ["a line break written out", { "x-api-key": "lk_test_a\\r\\n" }, /line break/],
    ["a line break written out after a bearer", { authorization: "Bearer lk_test_a\\n" }, /line break/],
    ["a line break for URLs", { authorization: "Bearer lk_test_a%0A" }, /line break/],
    ["another scheme", { authorization: "Token lk_test_a" }, /follow the word `Bearer`/],
    ["a scheme with a parameter", { authorization: "Token token=lk_test_a" }, /follow the word `Bearer`/],
    ["a user name", { authorization: `Basic ${btoa("lk_test_a:")}` }, /follow the word `Bearer`/],
    ["no scheme", { authorization: "lk_test_a" }, /follow the word `Bearer`/],
    ["a colon after the scheme", { authorization: "Bearer: lk_test_a" }, /follow the word `Bearer`/],
    ["a no-break space before it", { "x-api-key": "\u00a0lk_test_a" }, /no-break space/],
    ["a no-break space after it", { authorization: "Bearer lk_test_a\u00a0" }, /no-break space/],
    ["a no-break space of two bytes", { "x-api-key": asBytes("lk_test_a\u00a0") }, /no-break space/],
    ["a space of no width", { authorization: asBytes("Bearer \u200blk_test_a") }, /invisible space/],
    ["a byte order mark", { "x-api-key": asBytes("\ufefflk_test_a") }, /invisible space/],
    ["a bracket", { authorization: "Bearer <lk_test_a>" }, /nothing around it/],
    ["a second word", { "x-api-key": "key lk_test_a" }, /nothing around it/],
  ])("says what to change where the key comes with %s, and does not repeat the key", (_form, headers, advice) => {
    const credentials = read(headers);
    expect(credentials).toEqual({ kind: "miswritten", advice: expect.stringMatching(advice) as string });
    expect(JSON.stringify(credentials)).not.toContain("lk_test");
  });
});
