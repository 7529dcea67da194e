// This file uses neither Node nor zod, since the settings page loads it to compare names.
const longestGraphemes = 64;
const longestBytes = 256;

/** Characters that a name may not hold: they break a line, turn the text around the name, or cannot be stored. */
const forbidden: readonly [RegExp, string][] = [
  // Half of a pair: UTF-8 cannot write it.
  [/\p{Cs}/u, "A name cannot contain broken characters. Type it again."],
  [/[\p{Cc}\p{Zl}\p{Zp}]/u, "A name cannot contain line breaks or control characters."],
  // Embeddings, overrides and isolates reach beyond the name. The marks U+061C, U+200E and U+200F do not: keyboards write them.
  [/[\u202a-\u202e\u2066-\u2069]/u, "A name cannot contain characters that change the direction of text."],
];

/**
 * A character that can be seen. These show nothing by themselves: white space, joiners and fillers (Default_Ignorable has the Hangul ones),
 * marks without a letter, noncharacters, and two that Unicode counts as symbols: the blank of braille and the empty note head.
 */
const visible =
  /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{M}\p{Cf}\p{Noncharacter_Code_Point}\u2800\u{1d159}]/u;

/**
 * Brings a name to the form in which it is stored and compared: NFC, without white space at its ends, each run of spaces and tabs as one space.
 * A page shows two spaces as one, and a no-break space as a space. Names that look the same for that reason have the same form.
 */
export function normaliseName(text: string): string {
  return text
    .normalize("NFC")
    .trim()
    .replace(/[\p{Zs}\t]+/gu, " ");
}

/** Says what is wrong with a name in its normal form, to the person who has entered it. Null when nothing is wrong. */
export function findNameProblem(name: string): string | null {
  if (name === "") return "Enter a name.";
  for (const [pattern, message] of forbidden) if (pattern.test(name)) return message;
  if (!visible.test(name)) return "Enter a name that can be seen.";
  if (isLongerThan(name, longestGraphemes)) return `Use at most ${longestGraphemes} characters.`;
  const bytes = new TextEncoder().encode(name).length;
  return bytes > longestBytes ? "These characters take up too much room. Use fewer of them." : null;
}

/** Counts characters as a person does: a family emoji is one. */
function isLongerThan(text: string, graphemes: number): boolean {
  let count = 0;
  for (const _grapheme of new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text))
    if (++count > graphemes) return true;
  return false;
}
