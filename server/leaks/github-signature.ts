import { verify } from "node:crypto";

import type { GithubKeys } from "./github-keys";

/** The DER form of a signature of P-256 has at most 72 bytes. */
const signaturePattern = /^(?:[A-Za-z0-9+/]{4}){2,23}(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$/;
const idPattern = /^[\x21-\x7e]{1,200}$/;

/**
 * Whether GitHub has signed a body: ECDSA with P-256 and SHA-256, over the bytes as they came, in DER, in base64. What cannot be a signature or
 * an id is refused before any key is looked for.
 *
 * Of each signature (r, s) somebody can make the other one (r, -s), and GitHub sends either. So a signature is never taken for the name of a
 * report: what makes a report a repeat is its content.
 * @returns `unavailable`: the key cannot be read, so nobody knows. It never throws.
 */
export async function checkGithubSignature(
  keys: GithubKeys,
  headers: Headers,
  body: Buffer,
): Promise<"valid" | "invalid" | "unavailable"> {
  const id = headers.get("github-public-key-identifier") ?? "";
  const signature = headers.get("github-public-key-signature") ?? "";
  if (!idPattern.test(id) || !signaturePattern.test(signature)) return "invalid";
  const found = await keys.find(id);
  if (found.status === "unavailable") return "unavailable";
  if (found.status === "unknown") return "invalid";
  const bytes = Buffer.from(signature, "base64");
  // The last digit of base64 may have bits that mean nothing. There is one way to write a signature.
  if (bytes.toString("base64") !== signature) return "invalid";
  return isSigned(body, { key: found.key, dsaEncoding: "der" } as const, bytes) ? "valid" : "invalid";
}

function isSigned(body: Buffer, key: Parameters<typeof verify>[2], signature: Buffer): boolean {
  try {
    return verify("sha256", body, key, signature);
  } catch {
    return false;
  }
}
