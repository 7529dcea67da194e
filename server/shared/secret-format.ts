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
}
export type KeyEnvironment = "live" | "test";

export const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
export const randomLength = 32;
const checksumLength = 6;
const bodyLength = randomLength + checksumLength;

/** Whether `candidate` has the shape, the environment and the checksum of this deployment's secrets. Costs no I/O. */
export function isWellFormedSecret(candidate: string, format: SecretFormat): boolean {
  const head = `${format.prefix}_${format.environment}_`;
  if (candidate.length !== head.length + bodyLength || !candidate.startsWith(head)) return false;
  return /^[0-9A-Za-z]+$/.test(candidate.slice(head.length)) && endsWithChecksum(candidate);
}

/** The display of a secret, such as `lk_test_Ab3d…9xYz`. It is enough to recognise a leaked key, and of no use to guess one. */
export function displaySecret(secret: string): string {
  const bodyStart = secret.length - bodyLength;
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
