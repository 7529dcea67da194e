import { z } from "zod";

import { acceptedShapeOf, type SecretFormat } from "../shared/secret-format";
import { hashSecret } from "./secret";
import { describeRefusal, findTimeProblem, type ScopeRules, takenOverFields, type TakenOverKey } from "./taken-over";

/** As many as the longest display of our own keys shows. */
const mostShown = 24;
const leastShown = 4;

export type ImportLine = { key: TakenOverKey } | { refused: string };

/**
 * Makes the reader of an import's lines. A line is a JSON object `{ ownerId, name, hash, display, scopes?, createdAt?, expiresAt? }`.
 * @param options.format what secrets look like here: none may stand in place of its hash or of its display.
 * @returns a function that gives the key, or why the line is refused. The reason repeats nothing of the line.
 * @example
 * const parseImportLine = createImportLineParser({ format, scopes: { known: null, default: [] } });
 * const line = parseImportLine('{"ownerId":"user_1","name":"CI","hash":"…","display":"wm_12ab…"}', new Date());
 */
export function createImportLineParser(options: { format: SecretFormat; scopes: ScopeRules }) {
  const schema = z.strictObject({ ...takenOverFields(options.scopes), hash: z.string(), display: z.string() });
  const fieldNames = Object.keys(schema.shape);
  return (line: string, now: Date): ImportLine => {
    const parsed = schema.safeParse(parseJson(line));
    if (!parsed.success) return { refused: describeRefusal(parsed.error, fieldNames) };
    const { hash: text, display: shown, ...fields } = parsed.data;
    // A secret with its prefix may be as long as a hash in base64. Without a prefix nothing tells the two apart.
    const hash = acceptedShapeOf(text, options.format)?.prefix ? null : readHash(text);
    if (!hash) return { refused: "hash: must be a SHA-256, in hexadecimal or base64" };
    const display = readDisplay(shown, hash);
    if (display === null)
      return { refused: `display: must be the first letters of the key, … and perhaps the last, ${mostShown} at most` };
    const timeProblem = findTimeProblem(fields, now);
    return timeProblem ? { refused: timeProblem } : { key: { ...fields, hash, display } };
  };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

/** 32 bytes in hexadecimal, or in base64 of either alphabet, with its padding or without. Null for anything else. */
export function readHash(text: string): Buffer | null {
  if (/^[0-9A-Fa-f]{64}$/.test(text)) return Buffer.from(text, "hex");
  const digits = text.replace(/=$/, "");
  if (!/^(?:[0-9A-Za-z+/]{43}|[0-9A-Za-z_-]{43})$/.test(digits)) return null;
  const bytes = Buffer.from(digits, "base64url");
  // 43 digits hold two bits more than 32 bytes. Where these are set, it is no base64 of a hash.
  return bytes.toString("base64url") === digits.replaceAll("+", "-").replaceAll("/", "_") ? bytes : null;
}

/**
 * What is shown of a key, with one `…` for what is left out. Other marks for it become `…`, and where there is none the beginning alone is known.
 * Null for anything that could show too much.
 */
export function readDisplay(text: string, hash: Buffer): string | null {
  const marked = text.replace(/…|\.{3,}|[*•]{3,}/, "…");
  const [start = "", end = "", ...more] = marked.split("…");
  const shown = start + end;
  if (more.length > 0 || !/^[0-9A-Za-z_.-]+$/.test(shown)) return null;
  if (start === "" || shown.length < leastShown || shown.length > mostShown) return null;
  return hashSecret(shown).equals(hash) ? null : `${start}…${end}`;
}
