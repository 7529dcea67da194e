import { describe, expect, it } from "vitest";

import { renameInput } from "@/server/shared/inputs";
import { normaliseName } from "@/server/shared/name";

const nameInput = renameInput.shape.name;

const accepted = (name: string) => nameInput.parse(name);
const refusal = (name: string) => nameInput.safeParse(name).error?.issues.map(({ message }) => message);

const family = "👨‍👩‍👧‍👦";
const flagOfWales = "🏴\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}";

describe("a key's name", () => {
  it.each([
    ["NFC", "Cafe\u0301", "Café"],
    ["trimmed", "\u00a0 Build\u3000\r\n", "Build"],
    ["with one space for a run of them", "My  build \u00a0 server\u3000two", "My build server two"],
    ["with one space for a tab", "My\tbuild \t server", "My build server"],
    ["with one space for a no-break space", "My\u00a0build\u202fserver", "My build server"],
  ])("is stored %s", (_title, name, stored) => {
    expect(accepted(name)).toBe(stored);
    expect(normaliseName(stored)).toBe(stored);
  });

  it.each([
    ["Persian with a zero width non-joiner", "کلید می‌خواهم"],
    ["Sinhala with a zero width joiner", "ශ්‍රී ලංකා"],
    ["Hindi with both joiners", "क्‍ष क्‌ष"],
    ["Hebrew with a right-to-left mark", "מפתח\u200f CI"],
    ["Arabic with an Arabic letter mark", "مفتاح\u061c 1"],
    ["Khmer with a zero width space", "កម្ពុជា\u200bកូន"],
    ["Mongolian with a variation selector", "ᠮᠣᠩᠭᠣᠯ\u180b"],
    ["a family", family],
    ["a heart with a variation selector", "❤️"],
    ["a keycap", "1️⃣"],
    ["a skin tone", "👍🏽"],
    ["the flag of Wales, in tag characters", flagOfWales],
    ["a rare ideograph", "𠮷野"],
    ["Vietnamese", "Máy chủ sản xuất"],
    ["punctuation alone", "#1"],
  ])("may be %s", (_title, name) => {
    expect(accepted(name)).toBe(name.normalize("NFC"));
  });

  it("has at most 64 characters as a person counts them", () => {
    expect(accepted("x".repeat(64))).toHaveLength(64);
    expect(accepted("é".repeat(64).normalize("NFD"))).toBe("é".repeat(64));
    expect(accepted("🔑".repeat(64))).toBe("🔑".repeat(64));
    expect(accepted(` ${"x".repeat(64)} `)).toHaveLength(64);
    for (const name of ["x".repeat(65), "é".repeat(65), "🔑".repeat(65), "x".repeat(1_000_000)])
      expect(refusal(name)).toEqual(["Use at most 64 characters."]);
  });

  it("has at most 256 bytes", () => {
    expect(accepted(family.repeat(10))).toBe(family.repeat(10));
    for (const name of [family.repeat(11), `a${"\u0316".repeat(128)}`])
      expect(refusal(name)).toEqual(["These characters take up too much room. Use fewer of them."]);
  });

  it.each([
    ["nothing", ""],
    ["spaces", "   "],
    ["line breaks", "\r\n\u2028"],
  ])("is not %s", (_title, name) => {
    expect(refusal(name)).toEqual(["Enter a name."]);
  });

  it.each([
    ["a Hangul filler", "\u3164"],
    ["Hangul fillers of the other three kinds", "\u115f\u1160\uffa0"],
    ["a blank of braille", "\u2800"],
    ["zero width spaces", "\u200b\u200b"],
    ["joiners", "\u200c\u200d\u2060"],
    ["variation selectors", "\ufe0f\ufe0e\u{e0100}"],
    ["tag characters", "\u{e0067}\u{e007f}"],
    ["marks without a letter", "\u0301\u0302"],
    ["a soft hyphen", "\u00ad"],
    ["direction marks", "\u200e\u200f\u061c"],
    ["a Khmer inherent vowel", "\u17b4"],
    ["a combining grapheme joiner", "\u034f"],
    ["an empty note head", "\u{1d159}"],
    ["a noncharacter", "\uffff"],
    ["several of them with spaces between", "\u3164 \u200d \u2800"],
  ])("is not %s alone, which nobody sees", (_title, name) => {
    expect(refusal(name)).toEqual(["Enter a name that can be seen."]);
  });

  it.each([
    ["NUL", "a\u0000b"],
    ["an escape", "a\u001b[0mb"],
    ["DEL", "a\u007fb"],
    ["NEL", "a\u0085b"],
    ["a line break", "a\nb"],
    ["a Windows line break", "a\r\nb"],
    ["a line separator", "a\u2028b"],
    ["a paragraph separator", "a\u2029b"],
  ])("has no %s in it", (_title, name) => {
    expect(refusal(name)).toEqual(["A name cannot contain line breaks or control characters."]);
  });

  it.each(["\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"])(
    "has no character in it that turns the text around it: %j",
    (character) => {
      expect(refusal(`a${character}b`)).toEqual([
        "A name cannot contain characters that change the direction of text.",
      ]);
    },
  );

  it.each(["a\ud83d", "\udd11b", "\ud83d\ud83d\udd11"])("has no half of a character in it: %j", (name) => {
    expect(refusal(name)).toEqual(["A name cannot contain broken characters. Type it again."]);
  });

  it("is no other type than a text", () => {
    for (const name of [null, undefined, 5, ["a"], { name: "a" }])
      expect(nameInput.safeParse(name).success).toBe(false);
  });
});
