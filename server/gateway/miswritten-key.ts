/**
 * Says what to change in a header that holds a key in a wrong form. Every sentence is fixed and never repeats the secret, since answers end
 * up in logs and bug reports.
 */

const header = "`Authorization: Bearer <key>`";

/** What may come along when a key is copied, in either header. */
const strays: [pattern: RegExp, advice: string][] = [
  [
    // A header carries bytes, so a character outside of ASCII arrives as two or more of latin-1.
    /[^\t\x20-\x7e]/,
    "The header holds characters that no key has, such as a no-break space, an invisible space or curly quotes. Copy the key alone.",
  ],
  [/\\[nrt]|%0[ad]|%20/i, "A line break or a space, written as `\\n` or `%0A`, came along with the key. Remove it."],
  [/["'`]/, "Remove the quotes around the key."],
];

const rest =
  "The header holds more than the key. Copy the key alone: letters, digits and underscores, nothing around it.";

const adviceFor = (value: string, own: typeof strays) =>
  [...own, ...strays].find(([pattern]) => pattern.test(value))?.[1] ?? rest;

export function adviseOnApiKeyHeader(value: string): string {
  return adviceFor(value, [
    [/bearer/i, "`X-API-Key` takes the key alone: remove the word `Bearer`, or send " + header + " instead."],
  ]);
}

export function adviseOnAuthorization(value: string): string {
  return adviceFor(value, [
    [
      /^(?!bearer +\S)/i,
      "The key has to follow the word `Bearer` and a space: " + header + ". No other scheme is read.",
    ],
    [/bearer.*bearer/i, "Write the word `Bearer` once: " + header + "."],
  ]);
}
