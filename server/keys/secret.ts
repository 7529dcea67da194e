import { hash, randomInt } from "node:crypto";

import { alphabet, checksum, randomLength, type SecretFormat } from "../shared/secret-format";

/** A new secret: 190 bits from the system's CSPRNG, without modulo bias. */
export function mintSecret(format: SecretFormat): string {
  const random = Array.from({ length: randomLength }, () => alphabet[randomInt(alphabet.length)]).join("");
  const unchecked = `${format.prefix}_${format.environment}_${random}`;
  return unchecked + checksum(unchecked);
}

/** SHA-256 of the secret, 32 bytes: all that is ever stored. A plain hash suffices for 190 random bits. */
export function hashSecret(secret: string): Buffer {
  return hash("sha256", secret, "buffer");
}
