import { describe, expect, it } from "vitest";

import { readCredentials } from "@/server/gateway/credentials";
import type { AcceptedShape, SecretFormat } from "@/server/shared/secret-format";

const format: SecretFormat = { prefix: "lk", environment: "test" };
const read = (headers: Record<string, string>) => readCredentials(new Headers(headers), format);

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
      return readCredentials(headers, format);
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

/** A key of each of three systems, with the shape that accepts it: worldmonitor's, Unkey's, better-auth's without a prefix. */
const imported: [system: string, key: string, shape: AcceptedShape][] = [
  ["a prefix", `wm_${"0123456789abcdef".repeat(3).slice(0, 40)}`, { prefix: "wm_", characters: "hex", length: 40 }],
  ["dashes", "old-key_Ab-d_fghIJKLmnop-r", { prefix: "old-key_", characters: "base64url", length: 18 }],
  ["no prefix", "aBcDeFgH".repeat(8), { prefix: "", characters: "letters", length: 64 }],
];

describe.each(imported)("a key of another system with %s", (_system, key, shape) => {
  const readAccepted = (headers: Record<string, string>) =>
    readCredentials(new Headers(headers), { ...format, accepted: [shape] });

  it("is taken from either header", () => {
    expect(readAccepted({ authorization: `Bearer ${key}` })).toEqual({ kind: "key", secret: key });
    expect(readAccepted({ "x-api-key": key })).toEqual({ kind: "key", secret: key });
    expect(readAccepted({ authorization: `Bearer ${key}`, "x-api-key": key })).toEqual({ kind: "key", secret: key });
  });

  it("is somebody else's bearer where its shape is not accepted", () => {
    expect(read({ authorization: `Bearer ${key}` })).toEqual({ kind: "foreign" });
    expect(read({ authorization: `Bearer ${key}`, "x-api-key": "lk_test_a" })).toMatchObject({ secret: "lk_test_a" });
  });

  it("beside a different key is ambiguous, in a wrong form too", () => {
    for (const authorization of [`Bearer ${key}`, `Token ${key}`, key])
      expect(readAccepted({ authorization, "x-api-key": "lk_test_a" })).toEqual({ kind: "ambiguous" });
  });

  it("gets the same advice in a wrong form, and is not repeated", () => {
    for (const [headers, advice] of [
      [{ "x-api-key": `"${key}"` }, /quotes/],
      [{ authorization: `Bearer "${key}"` }, /quotes/],
      [{ "x-api-key": `Bearer ${key}` }, /remove the word `Bearer`/],
      [{ authorization: `Bearer Bearer ${key}` }, /`Bearer` once/],
      [{ authorization: `Bearer ${key}\\n` }, /line break/],
      [{ authorization: `Token ${key}` }, /follow the word `Bearer`/],
      [{ authorization: key }, /follow the word `Bearer`/],
      [{ authorization: `Basic ${btoa(`${key}:`)}` }, /follow the word `Bearer`/],
    ] as [Record<string, string>, RegExp][]) {
      const credentials = readAccepted(headers);
      expect(credentials).toEqual({ kind: "miswritten", advice: expect.stringMatching(advice) as string });
      expect(JSON.stringify(credentials)).not.toContain(key);
    }
  });

  it("leaves the tokens of others alone, though a part of them looks like a key without a prefix", () => {
    const parts = ["aBcDeFgH".repeat(8), "ab".repeat(32), "eyJhbGciOiJSUzI1NiJ9"];
    for (const authorization of [
      `Bearer ${parts.join(".")}`,
      `AWS4-HMAC-SHA256 Signature=${parts[0]}`,
      `Digest response="${parts[0]}"`,
    ])
      expect(readAccepted({ authorization, "x-api-key": key })).toEqual({ kind: "key", secret: key });
  });
});
