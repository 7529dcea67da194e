import { hash, randomInt } from "node:crypto";

import { alphabet, checksum, randomLength, type SecretFormat } from "../shared/secret-format";

/** Makes a new secret. It has 190 random bits from the system's CSPRNG, without modulo bias. */
export function mintSecret(format: SecretFormat): string {
  const random = Array.from({ length: randomLength }, () => alphabet[randomInt(alphabet.length)]).join("");
  const unchecked = `${format.prefix}_${format.environment}_${random}`;
  return unchecked + checksum(unchecked);
}

/** The SHA-256 of a secret, 32 bytes. Only this is stored. A plain hash is enough, since nobody can guess 190 random bits. */
export function hashSecret(secret: string): Buffer {
  return hash("sha256", secret, "buffer");
}
