import { hashSecret } from "../keys/secret";
import { findSecrets } from "../shared/find-secrets";
import { displaySecret } from "../shared/secret-format";
import { decodeEscapes } from "./decode-escapes";

const hidden = "…";
/** What stands before the @ of an e-mail address, and a name and password in a URL. `react@19.2.0` in an address of a package is neither. */
const beforeAt = /(?<![\w.%+-])[\w.%+-]+(?=@(?:[\w-]+\.)+[a-z]{2,})/gi;

/**
 * A text that tells where a key was found, as the history may hold it. The key often stands in the address itself, and the history holds no
 * secret, no hash and no e-mail address. What cannot be stored or shown as it is (half of a pair, control characters, marks of direction) becomes
 * U+FFFD.
 * @param token the key that was found there. Any other of our own shape is looked for, too.
 * @returns null where a secret could not be taken out, since it is written in pieces or in another encoding.
 */
export function placeText(text: string | null, token: string): string | null {
  if (text === null) return null;
  const shown = withoutSecrets(storable(text), token);
  // A key may also be escaped. The text is then kept as it reads.
  const decoded = decodeEscapes(shown);
  if (decoded === null) return null;
  const readable = storable(decoded);
  const harmless = withoutSecrets(readable, token) === readable ? shown : withoutSecrets(readable, token);
  return findSecrets(harmless).length > 0 || isDisguised(readable, token) ? null : harmless;
}

/** What the database cannot store, control characters, and marks of direction, which make an address look like another one. */
const unusable = /\p{Cs}|\p{Cc}|\p{Bidi_Control}/gu;
const storable = (text: string) => text.replace(unusable, "\ufffd");

function withoutSecrets(text: string, token: string): string {
  const withoutToken = text.replaceAll(token, hidden);
  return findSecrets(withoutToken)
    .reduce((rest, secret) => rest.replaceAll(secret, displaySecret(secret)), withoutToken)
    .replace(beforeAt, hidden);
}

/** Whether the token or its hash can be read from a text though it does not stand there: in pieces, in capitals or wide letters, in hexadecimal or base64. */
function isDisguised(text: string, token: string): boolean {
  const letters = lettersOf(text.replaceAll(token, hidden));
  const hash = hashSecret(token);
  const forms = [
    token,
    Buffer.from(token).toString("hex"),
    hash.toString("hex"),
    ...base64Within(hash),
    ...base64Within(Buffer.from(token)),
  ];
  return forms.some((form) => letters.includes(lettersOf(form)));
}

/** Wide and other forms of letters count as the usual ones. */
const lettersOf = (text: string) =>
  text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^0-9a-z]/g, "");

/** What stands in the base64 of a longer text that holds these bytes, such as `name:password`: they may begin at any of three places. */
function base64Within(bytes: Buffer): string[] {
  return [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64url");
    // The letters at the ends also depend on the bytes beside.
    return whole.slice(before === 0 ? 0 : before + 1, Math.floor(((before + bytes.length) * 8) / 6));
  });
}
