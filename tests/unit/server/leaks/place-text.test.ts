import { describe, expect, it } from "vitest";

import { mintSecret } from "@/server/keys/secret";
import { placeText } from "@/server/leaks/place-text";
import { displaySecret } from "@/server/shared/secret-format";

const token = mintSecret({ prefix: "lk", environment: "test" });
const other = mintSecret({ prefix: "lk", environment: "live" });
const foreign = `wm_${"0123456789abcdef".repeat(2)}01234567`;

describe("the text that tells where a key was found", () => {
  it.each([
    "https://github.com/octo-org/octo-repo/blob/1f0e2d3c4b5a69788796a5b4c3d2e1f001234567/config.yml#L3",
    "https://unpkg.com/react@19.2.0/index.js",
    "https://medium.com/@somebody/a-post",
    "not a URL, but a place",
    "/home/ada/.env",
    "100% of it",
    "",
  ])("is kept as it is: %j", (text) => {
    expect(placeText(text, token)).toBe(text);
  });

  it("is absent where nobody tells it", () => {
    expect(placeText(null, token)).toBeNull();
  });

  it.each([
    ["in a query", `https://example.com/?key=${token}&a=b`, "https://example.com/?key=…&a=b"],
    ["twice", `${token} ${token}`, "… …"],
    ["another one of ours", `https://example.com/${other}`, `https://example.com/${displaySecret(other)}`],
    [
      "with escaped underscores",
      `https://example.com/?key=${token.replaceAll("_", "%5F")}`,
      "https://example.com/?key=…",
    ],
    [
      "escaped altogether",
      `https://example.com/?key=${Array.from(Buffer.from(token), (byte) => `%${byte.toString(16)}`).join("")}`,
      "https://example.com/?key=…",
    ],
  ])("holds no key: %s", (_title, text, told) => {
    expect(placeText(text, token)).toBe(told);
  });

  it("is left out where the key is written in pieces", () => {
    expect(placeText(`https://example.com/${token.slice(0, 20)}-${token.slice(20)}`, token)).toBeNull();
    expect(placeText(`${token.slice(0, 20)}\n${token.slice(20)}`, token)).toBeNull();
  });

  it("holds no key of another system that was found there", () => {
    expect(placeText(`https://example.com/?key=${foreign}`, foreign)).toBe("https://example.com/?key=…");
  });

  it("holds no e-mail address and no password", () => {
    expect(placeText("mailto:ada@example.test", token)).toBe("mailto:…@example.test");
    expect(placeText("https://ada:hush@git.example.test/a.git", token)).not.toContain("hush");
    expect(placeText("https://example.com/?to=ada%40example.test", token)).not.toContain("ada");
  });

  it("can be stored, whatever it holds", () => {
    expect(placeText("a\0b\ud800c", token)).toBe("a\ufffdb\ufffdc");
    expect(placeText(`%00${token.replaceAll("_", "%5F")}`, token)).toBe("\ufffd…");
  });
});
