// Nothing of Node here: the middleware, on the edge runtime, reads these settings by the same rules as server/settings/env.ts.

/** The host that a publishable key names: in base64, with a "$" at its end. Null for what is no publishable key. */
export function frontendHostOf(publishableKey: string): string | null {
  const encoded = /^pk_(?:test|live)_(.+)$/.exec(publishableKey)?.[1];
  if (encoded === undefined) return null;
  try {
    return /^([^$/\s]+)\$$/.exec(atob(encoded))?.[1] ?? null;
  } catch {
    return null;
  }
}

/**
 * The instance's public key as PEM, from the forms in which a setting holds it: on one line with `\n` written out, as .env files do, or
 * the base64 alone. Whether it is a key is not judged here. Clerk's verifier takes no other white space than line breaks.
 */
export function publicKeyPem(setting: string): string {
  const base64 = setting.replace(/-----(?:BEGIN|END) PUBLIC KEY-----/g, "").replace(/\\r|\\n|\s/g, "");
  return `-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----\n`;
}
