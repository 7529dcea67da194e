import { acceptedShapeOf, characterClasses, type SecretFormat } from "../shared/secret-format";
import { readBearer } from "./bearer";
import { adviseOnApiKeyHeader, adviseOnAuthorization } from "./miswritten-key";

/** What a request brings as its API key. */
export type Credentials =
  | { kind: "key"; secret: string }
  | { kind: "none" }
  /** A bearer that is no API key of ours, such as another system's token. */
  | { kind: "foreign" }
  /** A key in a form that is not accepted. `advice` says what to change. It never repeats the secret. */
  | { kind: "miswritten"; advice: string }
  /** Two different keys. */
  | { kind: "ambiguous" };

/** A key in a header, and what is wrong with the way it is written; null when nothing is. */
interface Candidate {
  key: string;
  advice: string | null;
}

/**
 * Finds the key in `Authorization: Bearer <key>` or `X-API-Key: <key>`. An empty header counts as absent. The query string and cookies are
 * never read.
 *
 * Two different keys are ambiguous, and none is chosen. Otherwise two layers could choose differently, and one request would act for two
 * owners. A bearer without a prefix of our keys is no key. Beside an `X-API-Key` it is for another layer and is ignored.
 *
 * fetch's `Headers` joins a repeated header with commas. Equal values count once. Node keeps only the first `Authorization` line, and
 * `prepareNodeRequests` brings the others back before a route is called (decision 009).
 * @param format what this deployment's secrets look like.
 */
export function readCredentials(headers: Headers, format: SecretFormat): Credentials {
  const lines = valuesOf(headers.get("authorization"));
  const bearers = lines.filter((line) => readBearer(line) !== null);
  const inAuthorization = lines.flatMap((line) => readAuthorization(line, format) ?? []);
  const candidates = [
    ...inAuthorization,
    ...valuesOf(headers.get("x-api-key")).map((value) => readHeader(value, format)),
  ];
  const [first] = candidates;
  if (!first) return withoutCandidate(bearers, format);
  if (candidates.some(({ key }) => key !== first.key)) return { kind: "ambiguous" };
  // A foreign bearer may stand beside an X-API-Key. It may not stand in a second line of the header that holds our key.
  const isShared = inAuthorization.length > 0 && bearers.some((line) => !readAuthorization(line, format));
  if (isShared) return { kind: "ambiguous" };
  const advice = candidates.find((candidate) => candidate.advice !== null)?.advice;
  return advice ? { kind: "miswritten", advice } : { kind: "key", secret: first.key };
}

/** A bearer that begins as our keys do, or a key of ours after another scheme or none. */
function readAuthorization(line: string, format: SecretFormat): Candidate | null {
  const bearer = readBearer(line);
  if (bearer !== null && beginsAsKey(bearer, format))
    return { key: keyIn(bearer, format), advice: isPlain(bearer, format) ? null : adviseOnAuthorization(line) };
  if (bearer !== null) return null;
  const key = findMention(line, format) ?? findMention(decodeBasic(line), format);
  return key === null ? null : { key, advice: adviseOnAuthorization(line) };
}

function readHeader(value: string, format: SecretFormat): Candidate {
  return { key: keyIn(value, format), advice: isPlain(value, format) ? null : adviseOnApiKeyHeader(value) };
}

function withoutCandidate(bearers: string[], format: SecretFormat): Credentials {
  const meant = bearers.find((line) => findMention(line, format) !== null);
  if (meant !== undefined) return { kind: "miswritten", advice: adviseOnAuthorization(meant) };
  return { kind: bearers.length > 0 ? "foreign" : "none" };
}

/** The values of a header that are separated by commas. Empty ones do not count (RFC 9110, section 5.6.1). */
function valuesOf(header: string | null): string[] {
  // Takes only spaces and tabs away. trim() would also take a no-break space, and so accept a key that only looks right.
  return (header ?? "").split(",").flatMap((member) => /[^ \t](?:.*[^ \t])?/.exec(member)?.[0] ?? []);
}

/** A key of ours has letters, digits and underscores only. */
const isPlain = (text: string, format: SecretFormat) => /^\w+$/.test(text) || acceptedShapeOf(text, format) !== null;

/** Whether a bearer is meant as a key of this deployment. Where keys have no prefix, only a whole one tells. */
function beginsAsKey(bearer: string, format: SecretFormat): boolean {
  const prefixes = [`${format.prefix}_`, ...(format.accepted ?? []).flatMap(({ prefix }) => prefix || [])];
  return prefixes.some((prefix) => bearer.startsWith(prefix)) || acceptedShapeOf(bearer, format) !== null;
}

/**
 * The key of ours that a text speaks of. It is long enough that no other token holds it by chance. A key without a prefix counts only where it
 * stands alone: not in a JWT, and not as the parameter of another scheme.
 */
function findMention(text: string, format: SecretFormat): string | null {
  const own = `${format.prefix}_(?:live|test)_[0-9A-Za-z]*`;
  const others = (format.accepted ?? []).map(({ prefix, characters, length }) => {
    const body = `[${characterClasses[characters]}]{${length}}`;
    return prefix ? `${prefix}${body}` : `(?<![\\w.+/=-]["']?)${body}(?![\\w.+/=-])`;
  });
  return new RegExp([own, ...others].join("|")).exec(text)?.[0] ?? null;
}

/** The key in a value that may have quotes or more around it. So two values can be compared by their keys. */
const keyIn = (text: string, format: SecretFormat) =>
  isPlain(text, format) ? text : (findMention(text, format) ?? text);

/** What Basic credentials hold. Empty where it is no base64. */
function decodeBasic(line: string): string {
  const [, encoded = ""] = /^basic +(\S+)$/i.exec(line) ?? [];
  try {
    return atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return "";
  }
}
