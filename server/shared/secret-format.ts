/**
 * The format of a secret: `<prefix>_<environment>_<body>`. The body is 32 random characters and 6 of checksum, all of `0-9A-Za-z`.
 * The checksum is CRC-32 (IEEE) of everything before it, in base62, most significant digit first, padded with zeros. Anybody can compute
 * it, so it proves nothing. With it typing errors and random strings cost no I/O, and scanners recognise a leaked key.
 * This file uses nothing of Node, since the settings page loads it to recognise a pasted key.
 */
export interface SecretFormat {
  /** 1 to 10 lower-case letters or digits, a letter first. */
  prefix: string;
  environment: KeyEnvironment;
  /** Further shapes, of keys that came from another system. New keys never have them. */
  accepted?: readonly AcceptedShape[];
}
export type KeyEnvironment = "live" | "test";

/** The letters that a key of another system may have after its prefix. */
export const characterClasses = {
  hex: "0-9a-f",
  base58: "1-9A-HJ-NP-Za-km-z",
  base62: "0-9A-Za-z",
  alphanumeric: "0-9A-Za-z",
  letters: "A-Za-z",
  base64url: "0-9A-Za-z_-",
} as const;
export type CharacterClass = keyof typeof characterClasses;

/** A shape of secrets of another system: `prefix`, then exactly `length` characters of one class. It has no checksum. */
export interface AcceptedShape {
  /** At most 32 letters, digits, `_` and `-`. It may be empty. */
  prefix: string;
  characters: CharacterClass;
  length: number;
}

export const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
export const randomLength = 32;
const checksumLength = 6;
const bodyLength = randomLength + checksumLength;

/**
 * Whether `candidate` may be a secret of this deployment: it has our shape, environment and checksum, or one of the accepted shapes. Costs no
 * I/O.
 */
export function isWellFormedSecret(candidate: string, format: SecretFormat): boolean {
  return isOwnSecret(candidate, format) || acceptedShapeOf(candidate, format) !== null;
}

function isOwnSecret(candidate: string, format: SecretFormat): boolean {
  const head = `${format.prefix}_${format.environment}_`;
  if (candidate.length !== head.length + bodyLength || !candidate.startsWith(head)) return false;
  return /^[0-9A-Za-z]+$/.test(candidate.slice(head.length)) && endsWithChecksum(candidate);
}

/** The accepted shape that `candidate` fits. Null when it fits none. */
export function acceptedShapeOf(candidate: string, format: SecretFormat): AcceptedShape | null {
  // What begins as our own keys is judged by our own shape alone. So no setting lets a key of the other environment, or one with a wrong
  // checksum, pass.
  if (beginsAsOwnKey(candidate, format.prefix)) return null;
  return format.accepted?.find((shape) => fitsShape(candidate, shape)) ?? null;
}

export function beginsAsOwnKey(text: string, prefix: string): boolean {
  return text.startsWith(`${prefix}_live_`) || text.startsWith(`${prefix}_test_`);
}

function fitsShape(candidate: string, { prefix, characters, length }: AcceptedShape): boolean {
  if (candidate.length !== prefix.length + length || !candidate.startsWith(prefix)) return false;
  return wholeClass[characters].test(candidate.slice(prefix.length));
}

const wholeClass = Object.fromEntries(
  Object.entries(characterClasses).map(([name, letters]) => [name, new RegExp(`^[${letters}]+$`)]),
) as Record<CharacterClass, RegExp>;

/** The display of a secret, such as `lk_test_Ab3d…9xYz`. It is enough to recognise a leaked key, and of no use to guess one. */
export function displaySecret(secret: string): string {
  return displayBody(secret, secret.length - bodyLength);
}

/** The same for a secret of an accepted shape: the prefix, and the first and last four characters after it. */
export function displayAcceptedSecret(secret: string, shape: AcceptedShape): string {
  return displayBody(secret, shape.prefix.length);
}

function displayBody(secret: string, bodyStart: number): string {
  return `${secret.slice(0, bodyStart + 4)}…${secret.slice(-4)}`;
}

/** The checksum of ASCII text, 6 characters. */
export function checksum(text: string): string {
  let rest = crc32(text);
  let digits = "";
  for (let place = 0; place < checksumLength; place++) {
    digits = (alphabet[rest % alphabet.length] ?? "") + digits;
    rest = Math.floor(rest / alphabet.length);
  }
  return digits;
}

/** Whether the last 6 characters are the checksum of those before them. */
export function endsWithChecksum(secret: string): boolean {
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
