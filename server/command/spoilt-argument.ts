import { findSecrets } from "../shared/find-secrets";
import { type AcceptedShape, characterClasses } from "../shared/secret-format";

/** Something that is meant as a key of ours, though a character of it may be wrong. */
const almostOwn = /_(?:live|test)_[0-9A-Za-z]{20,}/;
/** A SHA-256 as systems write it: in hexadecimal, or in base64 of either alphabet. */
const hash = /^(?:[0-9A-Fa-f]{64}|[0-9A-Za-z+/_-]{43}=?)$/;

/** A hash behind its name: `sha256:…`, `--hash=…`, or the mark of a literal, as `0x…` and `\x…`. */
const namedHash = /(?:[:=]|\b0x|\\x)(?:[0-9A-Fa-f]{64}|[0-9A-Za-z+/_-]{43}=?)$/;

/** Whether an argument of the command line holds a secret or a hash, which other users of the machine could have read there. */
export const isSpoiltArgument = (argument: string, accepted: readonly AcceptedShape[]) =>
  namedHash.test(argument) || holdsCredential(argument, accepted);

/** Whether a text holds a secret, or is a hash. */
export function holdsCredential(argument: string, accepted: readonly AcceptedShape[]): boolean {
  if (almostOwn.test(argument) || hash.test(argument) || findSecrets(argument).length > 0) return true;
  return accepted.some(({ prefix, characters, length }) =>
    new RegExp(`(?<![0-9A-Za-z])${prefix}[${characterClasses[characters]}]{${length}}(?![0-9A-Za-z])`).test(argument),
  );
}
