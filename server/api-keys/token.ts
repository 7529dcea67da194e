import { createHash, randomInt } from "node:crypto";
import { crc32 } from "node:zlib";

/**
 * The secret's format: `<prefix>_<environment>_<body>`, body = 32 random characters + 6 of checksum, all of `0-9A-Za-z`.
 * The checksum is CRC-32 (IEEE) of everything before it, in base62, most significant digit first, padded with zeros. It is
 * public: it keeps typing errors and random strings from costing I/O and lets scanners recognise a leaked key; it proves nothing.
 */
export interface TokenFormat {
  prefix: string;
  environment: KeyEnvironment;
}
export type KeyEnvironment = "live" | "test";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const randomLength = 32;
const checksumLength = 6;
const bodyLength = randomLength + checksumLength;

/** A new secret: 190 bits from the system's CSPRNG, without modulo bias. */
export function mintSecret(format: TokenFormat): string {
  const random = Array.from({ length: randomLength }, () => alphabet[randomInt(alphabet.length)]).join("");
  const unchecked = `${format.prefix}_${format.environment}_${random}`;
  return unchecked + checksum(unchecked);
}

/** Whether `candidate` has the shape, the environment and the checksum of this deployment's secrets. Costs no I/O. */
export function isWellFormedSecret(candidate: string, format: TokenFormat): boolean {
  const head = `${format.prefix}_${format.environment}_`;
  if (candidate.length !== head.length + bodyLength || !candidate.startsWith(head)) return false;
  if (!/^[0-9A-Za-z]+$/.test(candidate.slice(head.length))) return false;
  return checksum(candidate.slice(0, -checksumLength)) === candidate.slice(-checksumLength);
}

/** SHA-256 of the secret, 32 bytes: all that is ever stored. A plain hash suffices for 190 random bits. */
export function hashSecret(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

/** The form shown in lists, `lk_test_Ab3d…9xYz`: enough to recognise a leaked key by, of no use for guessing it. */
export function displaySecret(secret: string): string {
  const bodyStart = secret.length - bodyLength;
  return `${secret.slice(0, bodyStart + 4)}…${secret.slice(-4)}`;
}

function checksum(text: string): string {
  let rest = crc32(text);
  let digits = "";
  for (let place = 0; place < checksumLength; place++) {
    digits = (alphabet[rest % alphabet.length] ?? "") + digits;
    rest = Math.floor(rest / alphabet.length);
  }
  return digits;
}
