import { crc32 } from "node:zlib";

import { describe, expect, it } from "vitest";

import { hashSecret, mintSecret } from "@/server/keys/secret";
import {
  type AcceptedShape,
  alphabet,
  checksum,
  displaySecret,
  isWellFormedSecret,
  type SecretFormat,
} from "@/server/shared/secret-format";
import { findSecrets } from "@/server/shared/find-secrets";

const format: SecretFormat = { prefix: "lk", environment: "test" };

describe("the key format", () => {
  it("has the documented shape, and every minted secret is well formed", () => {
    for (let round = 0; round < 1_000; round++) {
      const secret = mintSecret(format);
      expect(secret).toMatch(/^lk_test_[0-9A-Za-z]{38}$/);
      expect(isWellFormedSecret(secret, format)).toBe(true);
    }
  });

  it("carries CRC-32 of everything before it in base62", () => {
    // CRC-32("lk_test_" + 32 × "0") is 0x4cd333ab, worked out with another implementation (Python's zlib and a base62 loop).
    expect(isWellFormedSecret(`lk_test_${"0".repeat(32)}1PE8I0`, format)).toBe(false);
    expect(isWellFormedSecret(`lk_test_${"0".repeat(32)}1PE8Il`, format)).toBe(true);
  });

  it("computes the same checksum as Node's own CRC-32", () => {
    for (const text of ["", "lk_live_", mintSecret(format), "x".repeat(300)]) {
      const digits = checksum(text);
      const value = Array.from(digits).reduce((sum, digit) => sum * 62 + alphabet.indexOf(digit), 0);
      expect(value).toBe(crc32(text));
    }
  });

  it("is found in a text around it, and only whole and unchanged", () => {
    const secret = mintSecret({ prefix: "acme", environment: "live" });
    for (const text of [
      secret,
      `  ${secret}\n`,
      `API_KEY=${secret}`,
      `{"authorization":"Bearer ${secret}"}`,
      `(${secret}).`,
    ])
      expect(findSecrets(text)).toEqual([secret]);
    expect(findSecrets(`${"lk_test_".padEnd(46, "0")} and then ${secret}`)).toEqual([secret]);
    expect(findSecrets(`OLD_${secret}\nNEW_${secret}_2`)).toEqual([secret]);
    for (const text of ["", "lk_test_", secret.slice(0, -1), secret.slice(1), secret.replace("live", "prod")])
      expect(findSecrets(text)).toEqual([]);
  });

  it("uses every character of the alphabet about equally often", () => {
    const counts = new Map<string, number>();
    const secrets = 4_000;
    for (let round = 0; round < secrets; round++)
      for (const character of mintSecret(format).slice(8, 40)) counts.set(character, (counts.get(character) ?? 0) + 1);
    const expected = (secrets * 32) / 62;
    expect(counts.size).toBe(62);
    // Chi-square with 61 degrees of freedom: above 131 one run in a million; a modulo bias would be in the thousands.
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(chiSquare).toBeLessThan(131);
  });

  it("detects every single changed character", () => {
    const secret = mintSecret(format);
    for (let at = 0; at < secret.length; at++) {
      const changed = secret.slice(0, at) + (secret[at] === "a" ? "b" : "a") + secret.slice(at + 1);
      expect(isWellFormedSecret(changed, format)).toBe(false);
    }
  });

  it.each([
    ["the other environment", mintSecret({ prefix: "lk", environment: "live" })],
    ["another prefix", mintSecret({ prefix: "sk", environment: "test" })],
    ["nothing", ""],
    ["a longer one", `${mintSecret(format)}0`],
    ["a trailing line break", `${mintSecret(format)}\n`],
    ["a dash", `lk_test_${"-".repeat(38)}`],
  ])("refuses %s", (_title, candidate) => {
    expect(isWellFormedSecret(candidate, format)).toBe(false);
  });

  it("is stored as SHA-256 and shown by its first and last four characters", () => {
    expect(hashSecret("abc").toString("hex")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const secret = mintSecret(format);
    expect(displaySecret(secret)).toBe(`${secret.slice(0, 12)}…${secret.slice(-4)}`);
  });
});

describe("shapes of another system", () => {
  const accepting = (...shapes: AcceptedShape[]): SecretFormat => ({ ...format, accepted: shapes });
  const hex40: AcceptedShape = { prefix: "wm_", characters: "hex", length: 40 };
  const worldmonitor = `wm_${"0123456789abcdef".repeat(3).slice(0, 40)}`;

  it("let a secret of exactly that shape pass, and our own as before", () => {
    expect(isWellFormedSecret(worldmonitor, accepting(hex40))).toBe(true);
    expect(isWellFormedSecret(mintSecret(format), accepting(hex40))).toBe(true);
    expect(isWellFormedSecret(worldmonitor, format)).toBe(false);
  });

  it.each([
    ["one character less", worldmonitor.slice(0, -1)],
    ["one more", `${worldmonitor}0`],
    ["a capital", worldmonitor.replace("a", "A")],
    ["another prefix", worldmonitor.replace("wm_", "wn_")],
    ["a line break", `${worldmonitor.slice(0, -1)}\n`],
    ["no prefix", worldmonitor.slice(3)],
  ])("refuse %s", (_title, candidate) => {
    expect(isWellFormedSecret(candidate, accepting(hex40))).toBe(false);
  });

  it.each([
    ["hex", "0af9", "AgG-_"],
    ["base58", "19AHJNPZakmz", "0OIl-_"],
    ["base62", "09AZaz", "-_ü"],
    ["alphanumeric", "09AZaz", "-_ü"],
    ["letters", "AZaz", "09-_"],
    ["base64url", "09AZaz-_", "+/="],
  ] as const)("know the letters of %s", (characters, inside, outside) => {
    const shape: AcceptedShape = { prefix: "old_", characters, length: 16 };
    const secretWith = (letter: string) => `old_${"a".repeat(15)}${letter}`;
    for (const letter of inside) expect(isWellFormedSecret(secretWith(letter), accepting(shape)), letter).toBe(true);
    for (const letter of outside) expect(isWellFormedSecret(secretWith(letter), accepting(shape)), letter).toBe(false);
  });

  it("never let a key of the other environment pass, nor one of ours with a wrong checksum", () => {
    const wide: AcceptedShape[] = [46, 43, 38].flatMap((length) =>
      ["", "lk_", "lk_t"].map((prefix) => ({ prefix, characters: "base64url" as const, length })),
    );
    for (const secret of [
      mintSecret({ prefix: "lk", environment: "live" }),
      `lk_test_${"0".repeat(38)}`,
      `lk_live_${"0".repeat(38)}`,
    ])
      expect(isWellFormedSecret(secret, accepting(...wide)), secret).toBe(false);
  });
});
