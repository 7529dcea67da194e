import { describe, expect, it } from "vitest";

import { parseGithubReport, parseReport } from "@/server/leaks";

const github = (body: unknown) => parseGithubReport(Buffer.from(JSON.stringify(body)));
const report = (body: unknown) => parseReport(Buffer.from(JSON.stringify(body)));
const match = { token: "lk_live_x", type: "latchkey_api_key", url: "https://example.com/a", source: "content" };

describe("GitHub's report", () => {
  it("has its matches in their order, and may have fields that are not known yet", () => {
    const second = { ...match, token: "b", url: "", source: "commit_description", severity: 3 };
    expect(github([match, second])).toEqual([
      { token: "lk_live_x", type: "latchkey_api_key", url: "https://example.com/a", location: "content" },
      { token: "b", type: "latchkey_api_key", url: null, location: "commit_description" },
    ]);
  });

  it("may be empty, and a match may tell no place", () => {
    expect(github([])).toEqual([]);
    const { token, type } = match;
    for (const told of [{}, { url: null }, { url: "", source: "" }])
      expect(github([{ token, type, ...told }])).toEqual([{ token, type, url: null, location: null }]);
  });

  it("may have 10,000 matches, and no more", () => {
    expect(github(Array(10_000).fill(match))).toHaveLength(10_000);
    expect(github(Array(10_001).fill(match))).toBeNull();
  });

  it("has addresses of at most 2,048 characters", () => {
    expect(github([{ ...match, url: "u".repeat(2_048) }])).toHaveLength(1);
    expect(github([{ ...match, url: "u".repeat(2_049) }])).toBeNull();
    expect(github([{ ...match, source: "u".repeat(2_049) }])).toBeNull();
  });

  it.each([
    [null],
    [5],
    ["text"],
    [{}],
    [{ length: 0 }],
    [match],
    [[null]],
    [[[]]],
    [["lk_live_x"]],
    [[{ type: "a" }]],
    [[{ token: "a" }]],
    [[{ ...match, token: 5 }]],
    [[{ ...match, token: null }]],
    [[{ ...match, type: {} }]],
    [[{ ...match, url: 5 }]],
    [[{ ...match, url: ["https://example.com"] }]],
    [[{ ...match, source: true }]],
    [[match, { ...match, url: 5 }]],
  ])("is nothing else: %j", (body) => {
    expect(github(body)).toBeNull();
  });

  it.each([
    ["", "no body"],
    ["[", "a part"],
    ["[]]", "too much"],
    ["NaN", "no JSON"],
    ["[".repeat(500_000), "deep"],
    [`${"[".repeat(400_000)}${"]".repeat(400_000)}`, "deep and closed"],
  ])("is no body that cannot be read (%#)", (body) => {
    expect(parseGithubReport(Buffer.from(body))).toBeNull();
  });

  it("is UTF-8", () => {
    expect(parseGithubReport(Buffer.from([0x5b, 0xff, 0x5d]))).toBeNull();
    expect(parseGithubReport(Buffer.from(JSON.stringify([match]), "utf16le"))).toBeNull();
  });

  it("takes nothing from a polluted prototype, and pollutes none", () => {
    const body = '[{"__proto__":{"token":"a","type":"b"}}]';
    expect(parseGithubReport(Buffer.from(body))).toBeNull();
    expect(({} as { token?: string }).token).toBeUndefined();
  });
});

describe("somebody's report", () => {
  it("has 1 to 100 credentials and perhaps an address", () => {
    expect(report({ credentials: ["a", ""], url: "https://example.com" })).toEqual([
      { token: "a", location: null, url: "https://example.com" },
      { token: "", location: null, url: "https://example.com" },
    ]);
    expect(report({ credentials: Array(100).fill("a") })).toHaveLength(100);
    expect(
      report({ credentials: ["a\n", " b\r\n", "\tc", "\ufeffd"] })
        ?.map(({ token }) => token)
        .join(""),
    ).toBe("abcd");
    expect(report({ credentials: ["x".repeat(100_000)], url: "" })).toMatchObject([{ url: null }]);
  });

  it.each([
    [null],
    [5],
    [["a"]],
    [{}],
    [{ credentials: [] }],
    [{ credentials: Array(101).fill("a") }],
    [{ credentials: "a" }],
    [{ credentials: { 0: "a", length: 1 } }],
    [{ credentials: [5] }],
    [{ credentials: ["a", null] }],
    [{ credentials: ["a"], url: 5 }],
    [{ credentials: ["a"], url: "u".repeat(2_049) }],
    [{ credentials: ["a"], other: 1 }],
  ])("is nothing else: %j", (body) => {
    expect(report(body)).toBeNull();
  });
});
