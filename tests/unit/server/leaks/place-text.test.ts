import { describe, expect, it } from "vitest";

import { mintSecret } from "@/server/keys/secret";
import { placeText } from "@/server/leaks/place-text";
import { displaySecret } from "@/server/shared/secret-format";
import { sha256 } from "@/tests/support/latchkey-command";

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
    ["twice, once escaped", `${token} ${token.replaceAll("_", "%5F")}`, "… …"],
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

  const underscored = (escape: string) => token.replaceAll("_", escape);
  const percent = Array.from(Buffer.from(token), (byte) => `%${byte.toString(16)}`).join("");

  it.each([
    ["beside a percent sign that means nothing", `https://example.com/?q=100%&key=${underscored("%5F")}`],
    ["beside bytes that are no UTF-8", `https://example.com/?q=%ff%zz&key=${percent}`],
    ["escaped twice", `https://example.com/?key=${underscored("%255f")}`],
    ["escaped altogether, three times", `https://example.com/?key=${percent.replaceAll("%", "%2525")}`],
    ["as HTML writes it", `https://example.com/?key=${underscored("&#95;")}`],
    ["as HTML writes it in hexadecimal", `https://example.com/?key=${underscored("&#x5F;")}`],
    ["as JSON writes it", `https://example.com/?key=${underscored("\\u005f")}`],
  ])("holds no key that can be read from it: %s", (_title, text) => {
    const told = placeText(text, token);
    expect(told).toMatch(/^https:\/\/example\.com\/.*key=…$/u);
    expect(told).not.toContain(token.slice(9, 20));
  });

  it.each([
    ["with other separators", underscored("-")],
    ["in capitals", token.toUpperCase()],
    ["with wide signs", underscored("\uff3f")],
    ["in hexadecimal", Buffer.from(token).toString("hex")],
    ["in base64", Buffer.from(token).toString("base64")],
    ["in base64, as a password", encodeURIComponent(Buffer.from(`ada:${token}`).toString("base64"))],
    ["in base64 for URLs, as another password", Buffer.from(`al:${token}:`).toString("base64url")],
    ["by its hash", sha256(token).toString("hex")],
    ["by its hash in base64", sha256(token).toString("base64")],
    ["escaped more often than anybody does", underscored(`%${"25".repeat(40)}5F`)],
  ])("is left out where the key can be had from it: %s", (_title, text) => {
    expect(placeText(`https://example.com/?key=${text}`, token)).toBeNull();
  });

  it("is left out where a key of another system can be had from it, too", () => {
    expect(placeText(`https://example.com/${foreign.slice(0, 20)}/${foreign.slice(20)}`, foreign)).toBeNull();
    expect(placeText(`https://example.com/${Buffer.from(foreign).toString("base64")}`, foreign)).toBeNull();
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
    expect(placeText("https://example.com/\u202egro.elpmaxe\u2066\n\u001b[31m", token)).toBe(
      "https://example.com/\ufffdgro.elpmaxe\ufffd\ufffd\ufffd[31m",
    );
    expect(placeText(`%00${token.replaceAll("_", "%5F")}`, token)).toBe("\ufffd…");
  });
});
