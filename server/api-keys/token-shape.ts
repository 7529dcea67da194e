/**
 * The secret's format: `<prefix>_<environment>_<body>`, body = 32 random characters + 6 of checksum, all of `0-9A-Za-z`.
 * The checksum is CRC-32 (IEEE) of everything before it, in base62, most significant digit first, padded with zeros. It is
 * public: it keeps typing errors and random strings from costing I/O and lets scanners recognise a leaked key; it proves nothing.
 * Nothing of Node here: the settings page recognises a pasted key by it.
 */
export interface TokenFormat {
  prefix: string;
  environment: KeyEnvironment;
}
export type KeyEnvironment = "live" | "test";

export const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
export const randomLength = 32;
const checksumLength = 6;
const bodyLength = randomLength + checksumLength;

/** Whether `candidate` has the shape, the environment and the checksum of this deployment's secrets. Costs no I/O. */
export function isWellFormedSecret(candidate: string, format: TokenFormat): boolean {
  const head = `${format.prefix}_${format.environment}_`;
  if (candidate.length !== head.length + bodyLength || !candidate.startsWith(head)) return false;
  return /^[0-9A-Za-z]+$/.test(candidate.slice(head.length)) && endsWithChecksum(candidate);
}

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

/** The form shown in lists, `lk_test_Ab3d…9xYz`: enough to recognise a leaked key by, of no use for guessing it. */
export function displaySecret(secret: string): string {
  const bodyStart = secret.length - bodyLength;
  return `${secret.slice(0, bodyStart + 4)}…${secret.slice(-4)}`;
}

/** Of ASCII text. */
export function checksum(text: string): string {
  let rest = crc32(text);
  let digits = "";
  for (let place = 0; place < checksumLength; place++) {
    digits = (alphabet[rest % alphabet.length] ?? "") + digits;
    rest = Math.floor(rest / alphabet.length);
  }
  return digits;
}

function endsWithChecksum(secret: string): boolean {
  return checksum(secret.slice(0, -checksumLength)) === secret.slice(-checksumLength);
}

function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let at = 0; at < text.length; at++) {
    crc ^= text.charCodeAt(at);
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
