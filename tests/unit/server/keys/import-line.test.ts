import { createHash } from "node:crypto";

import { describe, expect, it } from "vitest";

import { createImportLineParser, readDisplay, readHash } from "@/server/keys/import-line";
import type { SecretFormat } from "@/server/shared/secret-format";

const now = new Date("2026-06-01T00:00:00Z");
const format: SecretFormat = {
  prefix: "lk",
  environment: "test",
  accepted: [
    { prefix: "wm_", characters: "hex", length: 40 },
    { prefix: "", characters: "hex", length: 64 },
  ],
};
const secret = `wm_${"0123456789abcdef".repeat(3).slice(0, 40)}`;
const hash = createHash("sha256").update(secret).digest();
const line = { ownerId: "user_1", name: "Old", hash: hash.toString("hex"), display: "wm_01234…" };
const allScopes = ["reports:read", "reports:write"];
const parseImportLine = createImportLineParser({ format, scopes: { known: allScopes, default: allScopes } });
const parse = (value: unknown) => parseImportLine(JSON.stringify(value), now);
const refusalOf = (value: unknown) => {
  const parsed = parse(value);
  return "refused" in parsed ? parsed.refused : "";
};

describe("a line of an import", () => {
  it("is read with the rules of create: a name in its normal form, all scopes where there are none", () => {
    const key = { ownerId: "user_1", name: "Old key", hash, display: "wm_01234…", scopes: allScopes };
    expect(parse({ ...line, name: " Old \t key " })).toEqual({ key: { ...key, createdAt: null, expiresAt: null } });
    expect(parse({ ...line, name: "Old key", scopes: null, createdAt: null, expiresAt: null })).toEqual({
      key: { ...key, createdAt: null, expiresAt: null },
    });
  });

  it("keeps scopes, and times with any offset", () => {
    const times = { createdAt: "2024-02-29T12:00:00+02:00", expiresAt: "2030-01-01T00:00:00.500Z" };
    expect(parse({ ...line, ...times, scopes: ["reports:write", "reports:read", "reports:read"] })).toMatchObject({
      key: {
        scopes: ["reports:read", "reports:write"],
        createdAt: new Date("2024-02-29T10:00:00Z"),
        expiresAt: new Date("2030-01-01T00:00:00.500Z"),
      },
    });
    expect(parse({ ...line, scopes: [] })).toMatchObject({ key: { scopes: [] } });
  });

  it("takes the name of any scope where nobody can tell which the app has", () => {
    const parseAny = createImportLineParser({ format, scopes: { known: null, default: ["all"] } });
    const scopesOf = (scopes: unknown) => parseAny(JSON.stringify({ ...line, scopes }), now);
    expect(scopesOf(["b:read", "a"])).toMatchObject({ key: { scopes: ["a", "b:read"] } });
    expect(scopesOf(null)).toMatchObject({ key: { scopes: ["all"] } });
    for (const scope of ["", "a b", 'a"', "ü", "a\n", "a".repeat(101)])
      expect(scopesOf([scope])).toEqual({ refused: expect.stringMatching(/^scopes: /) as string });
  });

  it.each([
    ["ownerId", undefined],
    ["ownerId", ""],
    ["ownerId", "user 1"],
    ["ownerId", "user_1\n"],
    ["ownerId", "üser"],
    ["ownerId", "u".repeat(256)],
    ["ownerId", 1],
    ["name", undefined],
    ["name", "  "],
    ["name", "a\nb"],
    ["name", "\u202eabc"],
    ["name", "a".repeat(65)],
    ["name", null],
    ["hash", undefined],
    ["hash", ""],
    ["hash", hash.toString("hex").slice(1)],
    ["hash", `${hash.toString("hex")}0`],
    ["hash", `sha256:${hash.toString("hex")}`],
    ["hash", hash.toString("hex").replace(/.$/, "g")],
    ["hash", createHash("sha512").update(secret).digest("hex")],
    ["hash", secret],
    ["display", undefined],
    ["display", ""],
    ["display", secret],
    ["display", "wm_"],
    ["display", "wm_01 34…"],
    ["display", "wm_0<b>4…"],
    ["display", "wm_…012…3"],
    ["display", "…abcd"],
    ["display", `${secret.slice(0, 20)}…${secret.slice(-5)}`],
    ["scopes", "reports:read"],
    ["scopes", ["everything"]],
    ["scopes", [1]],
    ["createdAt", "yesterday"],
    ["createdAt", "2024-01-01"],
    ["createdAt", "2024-01-01T00:00:00"],
    ["createdAt", "2024-02-30T00:00:00Z"],
    ["createdAt", "1969-12-31T23:59:59Z"],
    ["createdAt", 1_704_067_200],
    ["createdAt", "2026-06-01T00:06:00Z"],
    ["expiresAt", "never"],
    ["expiresAt", ""],
    ["expiresAt", 1_904_067_200_000],
  ])("is refused for its %s %j, by that name and without the value", (field, value) => {
    const reason = refusalOf({ ...line, [field]: value });
    expect(reason).toMatch(new RegExp(`^${field}\\b`));
    if (typeof value === "string" && value.trim().length > 2) expect(reason).not.toContain(value);
  });

  it("is refused when it ends before it began, has fields of other names, or is no object", () => {
    const early = { ...line, createdAt: "2024-01-02T00:00:00Z", expiresAt: "2024-01-01T00:00:00Z" };
    expect(refusalOf(early)).toBe("expiresAt is before createdAt");
    for (const other of [{ [secret]: 1 }, { secret }, { Name: "x" }, JSON.parse('{"__proto__":1}') as object]) {
      expect(refusalOf({ ...line, ...other })).not.toContain(secret);
      expect(refusalOf(Object.assign(JSON.parse(JSON.stringify(line)) as object, { other: 1 }))).toContain(
        "other fields",
      );
    }
    for (const value of [null, [], [line], "text", 1, true]) expect(refusalOf(value)).not.toBe("");
    expect(parseImportLine(`${JSON.stringify(line)}x`, now)).toEqual({ refused: "this is no JSON object" });
  });
});

describe("a hash", () => {
  it("is read in hexadecimal and in base64 of both alphabets, with its padding and without", () => {
    // Bytes whose base64 has + and / and - and _.
    const bytes = Buffer.alloc(32, Buffer.from("fbff3e", "hex"));
    const base64 = bytes.toString("base64");
    expect(base64).toMatch(/[+/].*=$/);
    for (const text of [
      bytes.toString("hex"),
      bytes.toString("hex").toUpperCase(),
      base64,
      base64.replace("=", ""),
      bytes.toString("base64url"),
      `${bytes.toString("base64url")}=`,
    ])
      expect(readHash(text), text).toEqual(bytes);
  });

  it("is none with both alphabets in it, with bits left over, or with anything around it", () => {
    const base64url = hash.toString("base64url");
    for (const text of [`+_${base64url.slice(2)}`, base64url.replace(/.$/, "B"), ` ${base64url}`, `${base64url}==`])
      expect(readHash(text), text).toBeNull();
  });
});

describe("what is shown of a key", () => {
  it("has one mark for what is left out, whatever mark the other system has used", () => {
    for (const text of ["wm_01234…cdef", "wm_01234...cdef", "wm_01234*****cdef", "wm_01234••••cdef"])
      expect(readDisplay(text, hash)).toBe("wm_01234…cdef");
    for (const text of ["wm_01234", "wm_01234…", "wm_01234...."]) expect(readDisplay(text, hash)).toBe("wm_01234…");
  });

  it("is never the whole key, with a mark in it or not", () => {
    const short = "k_0123456789abcdef";
    const shortHash = createHash("sha256").update(short).digest();
    for (const text of [short, `${short}…`, `${short.slice(0, 5)}…${short.slice(5)}`])
      expect(readDisplay(text, shortHash)).toBeNull();
  });
});
