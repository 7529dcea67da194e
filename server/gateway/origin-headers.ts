/** What introspection tells in headers to a verifier that asks with a `nonce`. The body stays what RFC 7662 says. */
export const originHeaders = {
  /** The nonce of the question. So an answer to another question, such as a stored one, is recognised. */
  nonce: "Latchkey-Nonce",
  /** Why the key, or the call, is refused. */
  refusal: "Latchkey-Refusal",
  /** Whether an owner's plan has to include API access: `required` or `everybody`. */
  access: "Latchkey-Access",
} as const;

export const noncePattern = /^[0-9a-zA-Z-]{16,64}$/;

/** How many entries a report of uses has at most. */
export const largestReport = 1_000;

/** Uses of one secret in one hour, counted by a verifier elsewhere. */
export interface CountedUse {
  /** Of the secret, SHA-256 in hexadecimal. */
  hash: string;
  count: number;
  /** The last of them, in milliseconds since 1970. */
  lastUsedAt: number;
}
