import { describe, expect, it } from "vitest";

import { readCredentials } from "@/server/gateway/credentials";

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
});
