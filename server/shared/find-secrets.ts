import { endsWithChecksum } from "./secret-format";

/** The longest prefix that `API_KEY_PREFIX` may name. */
const longestPrefix = 10;

/**
 * Letters and digits that programs write into a key which they wrap, escape or colour: a terminal's colours, the escapes of JSON, of
 * URLs, of quoted-printable (capitals only: the prefix in `KEY=acme_live_` is none) and of HTML, and short HTML tags.
 */
const writtenIntoKeys =
  /\u001b\[[0-9;:?]*[A-Za-z]|\\(?:[bfnrtv]|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})|%[0-9A-Fa-f]{2}|=[0-9A-F]{2}|&#?[0-9A-Za-z]{1,8};|<\/?[a-z]{1,6}(?:\s[^<>]{0,200})?\/?>/g;

/**
 * Finds the secrets in any text: a log, a mail, a shell's output, a database dump. Pure, for the browser and the server alike.
 *
 * The checksum alone says what is a secret. What stands beside one does not matter, so a letter that is glued to it (`\nlk_live_…` in
 * JSON, `%3dlk_live_…` in a URL, `ESC[0mlk_live_…` in a terminal) hides nothing. A secret may also be wrapped over lines, indented,
 * quoted with `>`, hyphenated, or in pieces that source code joins: the text is read once as it is, and once with nothing in it but
 * the characters of a secret.
 * @param text of any length: the time is linear in it.
 * @returns each secret once, of any prefix and environment. A secret in which a character is missing or changed is not found.
 */
export function findSecrets(text: string): string[] {
  const joined = text.replace(writtenIntoKeys, "").replace(/[^0-9A-Za-z_]+/g, "");
  return [...new Set([...secretsIn(text), ...secretsIn(joined)])];
}

/** In one piece. A body has no underscore, so two matches never overlap and none is passed over. */
function secretsIn(text: string): string[] {
  return Array.from(text.matchAll(/_(?:live|test)_[0-9A-Za-z]{38}/g)).flatMap(({ index, 0: rest }) =>
    prefixesBefore(text, index)
      .map((prefix) => prefix + rest)
      .filter(endsWithChecksum),
  );
}

/** Every prefix that may end at `end`: where the secret begins is not seen, only tried. */
function prefixesBefore(text: string, end: number): string[] {
  const [run = ""] = /[a-z0-9]*$/.exec(text.slice(Math.max(0, end - longestPrefix), end)) ?? [];
  return Array.from(run, (_character, at) => run.slice(at)).filter((prefix) => /^[a-z]/.test(prefix));
}
