/**
 * The secret's format: `<prefix>_<environment>_<body>`, body = 32 random characters + 6 of checksum, all of `0-9A-Za-z`.
 * The checksum is CRC-32 (IEEE) of everything before it, in base62, most significant digit first, padded with zeros. It is
 * public: it keeps typing errors and random strings from costing I/O and lets scanners recognise a leaked key; it proves nothing.
 * Nothing of Node here: the settings page recognises a pasted key by it.
 */
export interface SecretFormat {
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

/** Whether the last characters are the checksum of those before them. */
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
