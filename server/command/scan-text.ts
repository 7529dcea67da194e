import type { Readable } from "node:stream";

import { findSecrets } from "../shared/find-secrets";
import { publicIdPattern } from "../shared/public-id";
import { type AcceptedShape, characterClasses } from "../shared/secret-format";
import { holdsCredential } from "./spoilt-argument";

/** Something in a text that a key can be found by. */
export type Mention =
  | { kind: "secret"; secret: string }
  /** `isAlone`: on its line stand only ids, or the line is what `find --json` or `export` has written for the key. */
  | { kind: "id"; id: string; isAlone: boolean }
  /** On a line of its own; or the whole text, where nothing else is in it. */
  | { kind: "owner"; ownerId: string };

/** A secret that is wrapped, quoted and coloured is far shorter. What one piece of the text ends with is read again with the next one. */
const overlap = 4_096;
/** No line of ids is longer, nor one that `export` writes. Of a longer one only the secrets and the ids in it count. */
const longestLine = 65_536;

const idInText = /key_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f-])/g;
/** As Clerk writes the ids of users and organisations. */
export const looksAsOwner = (text: string) => /^(?:user|org)_[0-9A-Za-z_-]{1,200}$/.test(text);
/** What a list is written with: white space, commas, quotes, brackets, the marks of another encoding. */
const listSigns = /[\s,;:"'`()[\]{}\ufeff\ufffd]+/;
const bullet = /^\s*[-*•]\s+/;
const colour = /\u001b\[[0-9;:?]*[A-Za-z]/g;
/** An owner may have an id of any form, where the whole text is nothing else. */
const longestOwner = 200;

/**
 * Reads any text, whatever its length, and finds what keys can be found by. The text may be a log, JSON, UTF-8 or UTF-16, coloured, with keys that
 * are split over lines: see `findSecrets`.
 * @param shapes further shapes of secrets. They have no checksum, so what fits one may be no secret.
 * @param onPiece is called after each piece, with the bytes that were read so far.
 * @returns each mention once, a batch for each piece of the input. An id may come twice, the second time as one that stands alone.
 */
export async function* scanText(
  input: Readable,
  shapes: readonly AcceptedShape[],
  onPiece: (bytes: number) => void = () => undefined,
): AsyncGenerator<Mention[]> {
  const utf8 = new TextDecoder("utf-8");
  const seen = new Set<string>();
  const lines = createLines();
  let tail = "";
  let bytes = 0;
  let count = 0;
  const mentionsIn = (piece: string, isLast: boolean) => {
    const window = tail + piece;
    tail = window.slice(-overlap);
    const found = fresh(seen, [
      ...secretsIn(window, shapes).map((secret): Mention => ({ kind: "secret", secret })),
      ...lines(piece, isLast).flatMap((line) => mentionsOfLine(line, shapes)),
      ...Array.from(window.matchAll(idInText), ([id]): Mention => ({ kind: "id", id, isAlone: false })),
    ]);
    count += found.length;
    return found;
  };
  for await (const chunk of input as AsyncIterable<Buffer | string>) {
    bytes += chunk.length;
    // UTF-16 has a zero beside every letter of ASCII.
    const piece = (typeof chunk === "string" ? chunk : utf8.decode(chunk, { stream: true })).replaceAll("\0", "");
    yield mentionsIn(piece, false);
    onPiece(bytes);
  }
  yield mentionsIn("", true);
  const whole = tail.trim();
  const isOneWord = bytes <= overlap && /^[^\s\p{C}]+$/u.test(whole) && whole.length <= longestOwner;
  if (count === 0 && isOneWord && !holdsCredential(whole, shapes)) yield [{ kind: "owner", ownerId: whole }];
}

function secretsIn(text: string, shapes: readonly AcceptedShape[]): string[] {
  return [...new Set([...findSecrets(text), ...shapes.flatMap((shape) => secretsOfShape(text, shape))])];
}

/** With a prefix, a letter beside it may belong to an escape (`\nwm_…`). Without one, only what stands alone can be meant. */
function secretsOfShape(text: string, { prefix, characters, length }: AcceptedShape): string[] {
  const letters = characterClasses[characters];
  const [before, after] = prefix === "" ? ["(?<![0-9A-Za-z_-])", "(?![0-9A-Za-z_-])"] : ["", `(?![${letters}])`];
  return Array.from(
    text.matchAll(new RegExp(`${before}${prefix}[${letters}]{${length}}${after}`, "g")),
    ([all]) => all,
  );
}

/** Cuts pieces of a text into lines. A line that is too long is left out. */
function createLines() {
  let rest = "";
  let isTooLong = false;
  return (piece: string, isLast: boolean): string[] => {
    const lines = (rest + piece).split(/\r\n?|\n/);
    rest = isLast ? "" : (lines.pop() ?? "");
    if (isTooLong && lines.length > 0) {
      lines.shift();
      isTooLong = false;
    }
    if (rest.length > longestLine) {
      rest = "";
      isTooLong = true;
    }
    return lines;
  };
}

function mentionsOfLine(line: string, shapes: readonly AcceptedShape[]): Mention[] {
  if (line.length > longestLine || !/key_|user_|org_/.test(line)) return [];
  // A secret whose prefix is `key` begins as an id does.
  if (holdsCredential(line, shapes)) return [];
  const written = line.trimStart().startsWith("{") ? idOfWrittenKey(line) : null;
  if (written !== null) return [{ kind: "id", id: written, isAlone: true }];
  const words = line.replace(colour, "").replace(bullet, "").split(listSigns).filter(Boolean);
  // Malformed ids too: they are to be reported, not passed over.
  if (words.every((word) => word.startsWith("key_"))) return words.map((id) => ({ kind: "id", id, isAlone: true }));
  const [text = "", ...others] = words;
  if (others.length > 0) return [];
  return looksAsOwner(text) ? [{ kind: "owner", ownerId: text }] : [];
}

/** The id of a key that a command of ours has written as JSON. */
function idOfWrittenKey(line: string): string | null {
  try {
    const { id, ownerId, display } = JSON.parse(line) as Record<string, unknown>;
    const isKey = typeof id === "string" && typeof ownerId === "string" && typeof display === "string";
    return isKey && publicIdPattern.test(id) ? id : null;
  } catch {
    return null;
  }
}

function fresh(seen: Set<string>, mentions: readonly Mention[]): Mention[] {
  return mentions.filter((mention) => {
    const text = JSON.stringify(mention);
    // What stands alone is no news any more when it is found in the text.
    const isKnown =
      seen.has(text) || (mention.kind === "id" && seen.has(JSON.stringify({ ...mention, isAlone: true })));
    seen.add(text);
    return !isKnown;
  });
}
