import { findSecrets } from "../shared/find-secrets";
import { displaySecret } from "../shared/secret-format";

const hidden = "…";
/** What stands before the @ of an e-mail address, and a name and password in a URL. `react@19.2.0` in an address of a package is neither. */
const beforeAt = /(?<![\w.%+-])[\w.%+-]+(?=@(?:[\w-]+\.)+[a-z]{2,})/gi;

/**
 * A text that tells where a key was found, as the history may hold it. The key often stands in the address itself, and the history holds no
 * secret and no e-mail address. What the database cannot store (a zero, half of a pair) becomes U+FFFD.
 * @param token the key that was found there. Any other of our own shape is looked for, too.
 * @returns null where a secret could not be taken out, since it is written in pieces.
 */
export function placeText(text: string | null, token: string): string | null {
  if (text === null) return null;
  const storable = text.replace(/\p{Cs}|\0/gu, "\ufffd");
  const shown = withoutSecrets(storable, token);
  // A key may also be escaped. The text is then kept as it reads.
  const decoded = decodeUri(shown);
  const harmless = withoutSecrets(decoded, token) === decoded ? shown : withoutSecrets(decoded, token);
  return findSecrets(harmless).length > 0 ? null : harmless;
}

function withoutSecrets(text: string, token: string): string {
  const withoutToken = text.replaceAll(token, hidden);
  return findSecrets(withoutToken)
    .reduce((rest, secret) => rest.replaceAll(secret, displaySecret(secret)), withoutToken)
    .replace(beforeAt, hidden);
}

function decodeUri(text: string): string {
  try {
    return decodeURIComponent(text).replaceAll("\0", "\ufffd");
  } catch {
    return text;
  }
}
