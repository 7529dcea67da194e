import { type AcceptedShape, type CharacterClass, characterClasses } from "../shared/secret-format";

/**
 * Bits that must stay unknown to who reads the database: it shows eight characters, and a plain SHA-256 is enough only for what nobody can
 * guess.
 */
const leastHiddenBits = 64;
const shownCharacters = 8;
const lettersOf: Record<CharacterClass, number> = {
  hex: 16,
  base58: 58,
  base62: 62,
  alphanumeric: 62,
  letters: 52,
  base64url: 64,
};
/** Without a prefix only its length and letters tell a key from another system's token. */
const shortestWithoutPrefix = 32;
const longest = 256;
/** A verification may have to compare a secret with each of them. */
const mostShapes = 20;

/**
 * Reads `API_KEY_ACCEPT_FORMATS`: shapes of secrets of another system, separated by commas, each `prefix:class:length`. The length is that of
 * what follows the prefix.
 * @returns the shapes, or what is wrong with the list. That repeats nothing of it.
 * @example
 * parseAcceptFormats("wm_:hex:40"); // [{ prefix: "wm_", characters: "hex", length: 40 }]
 */
export function parseAcceptFormats(text: string): AcceptedShape[] | { problem: string } {
  const shapes: AcceptedShape[] = [];
  for (const entry of text.split(",").map((part) => part.trim())) {
    if (entry === "") continue;
    const shape = parseShape(entry);
    if (typeof shape === "string") return { problem: shape };
    shapes.push(shape);
  }
  return shapes.length > mostShapes ? { problem: `must have at most ${mostShapes} shapes` } : shapes;
}

function parseShape(entry: string): AcceptedShape | string {
  const parts = /^([0-9A-Za-z_-]{0,32}):([0-9a-z]+):([1-9][0-9]{0,2})$/.exec(entry);
  if (!parts) return "each entry must be prefix:class:length, as wm_:hex:40";
  const [, prefix = "", characters = "", digits] = parts;
  if (!isCharacterClass(characters)) return `a class must be one of ${Object.keys(characterClasses).join(", ")}`;
  const shape = { prefix, characters, length: Number(digits) };
  return findShapeProblem(shape) ?? shape;
}

/** @returns what is wrong with the length of a shape; null when nothing is. */
export function findShapeProblem({ prefix, characters, length }: AcceptedShape): string | null {
  const bits = Math.log2(lettersOf[characters]);
  const shortest = shownCharacters + Math.ceil(leastHiddenBits / bits);
  const least = prefix === "" ? Math.max(shortest, shortestWithoutPrefix) : shortest;
  return length >= least && length <= longest
    ? null
    : `the length of ${characters} must be ${least} to ${longest} here`;
}

function isCharacterClass(text: string): text is CharacterClass {
  return Object.hasOwn(characterClasses, text);
}
