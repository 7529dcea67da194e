import { endsWithChecksum } from "./secret-format";

/** The longest prefix that `API_KEY_PREFIX` may name. */
const longestPrefix = 10;

/**
 * Letters and digits that programs write into a secret when they wrap, escape or colour it: a terminal's colours, the escapes of JSON, URLs,
 * quoted-printable and HTML, and short HTML tags. Quoted-printable is looked for in capitals only, since `=ac` in `KEY=acme_live_` is none.
 */
const writtenIntoKeys =
  /\u001b\[[0-9;:?]*[A-Za-z]|\\(?:[bfnrtv]|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})|%[0-9A-Fa-f]{2}|=[0-9A-F]{2}|&#?[0-9A-Za-z]{1,8};|<\/?[a-z]{1,6}(?:\s[^<>]{0,200})?\/?>/g;

/**
 * Finds the secrets in any text: a log, a mail, a shell's output, a database dump. It is pure and runs in the browser and on the server.
 *
 * Only the checksum decides what is a secret. So a letter that stands right before it (`\nlk_live_…` in JSON, `%3dlk_live_…` in a URL,
 * `ESC[0mlk_live_…` in a terminal) hides nothing. A secret may also be wrapped over lines, indented, quoted with `>`, hyphenated, or in
 * pieces that source code joins. To find these, the text is read twice: as it is, and with all characters removed that no secret has.
 * @param text may have any length. The time is linear in it.
 * @returns each secret once, of any prefix and environment. A secret in which a character is missing or changed is not found.
 * @example
 * const [secret] = findSecrets("Authorization: Bearer lk_live_…");
 */
export function findSecrets(text: string): string[] {
  const joined = text.replace(writtenIntoKeys, "").replace(/[^0-9A-Za-z_]+/g, "");
  return [...new Set([...secretsIn(text), ...secretsIn(joined)])];
}

/** Finds secrets in one piece. A body has no underscore, so two matches never overlap and none is missed. */
function secretsIn(text: string): string[] {
  return Array.from(text.matchAll(/_(?:live|test)_[0-9A-Za-z]{38}/g)).flatMap(({ index, 0: rest }) =>
    prefixesBefore(text, index)
      .map((prefix) => prefix + rest)
      .filter(endsWithChecksum),
  );
}

/** Every prefix that may end at `end`. Nothing shows where the secret begins, so each possible beginning is tried. */
function prefixesBefore(text: string, end: number): string[] {
  const [run = ""] = /[a-z0-9]*$/.exec(text.slice(Math.max(0, end - longestPrefix), end)) ?? [];
  return Array.from(run, (_character, at) => run.slice(at)).filter((prefix) => /^[a-z]/.test(prefix));
}
