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
 * owners. A bearer without our prefix is no key. Beside an `X-API-Key` it is for another layer and is ignored.
 *
 * fetch's `Headers` joins a repeated header with commas. Equal values count once. Node keeps only the first `Authorization` line, and
 * `prepareNodeRequests` brings the others back before a route is called (decision 009).
 * @param prefix what this deployment's secrets begin with.
 */
export function readCredentials(headers: Headers, prefix: string): Credentials {
  const lines = valuesOf(headers.get("authorization"));
  const bearers = lines.filter((line) => readBearer(line) !== null);
  const inAuthorization = lines.flatMap((line) => readAuthorization(line, prefix) ?? []);
  const candidates = [
    ...inAuthorization,
    ...valuesOf(headers.get("x-api-key")).map((value) => readHeader(value, prefix)),
  ];
  const [first] = candidates;
  if (!first) return withoutCandidate(bearers, prefix);
  if (candidates.some(({ key }) => key !== first.key)) return { kind: "ambiguous" };
  // A foreign bearer may stand beside an X-API-Key. It may not stand in a second line of the header that holds our key.
  const isShared = inAuthorization.length > 0 && bearers.some((line) => !readAuthorization(line, prefix));
  if (isShared) return { kind: "ambiguous" };
  const advice = candidates.find((candidate) => candidate.advice !== null)?.advice;
  return advice ? { kind: "miswritten", advice } : { kind: "key", secret: first.key };
}

/** A bearer that begins with our prefix, or a key of ours after another scheme or none. */
function readAuthorization(line: string, prefix: string): Candidate | null {
  const bearer = readBearer(line);
  if (bearer?.startsWith(`${prefix}_`))
    return { key: keyIn(bearer, prefix), advice: isPlain(bearer) ? null : adviseOnAuthorization(line) };
  if (bearer !== null) return null;
  const [key] = mentionOf(prefix).exec(`${line} ${decodeBasic(line)}`) ?? [];
  return key === undefined ? null : { key, advice: adviseOnAuthorization(line) };
}

function readHeader(value: string, prefix: string): Candidate {
  return { key: keyIn(value, prefix), advice: isPlain(value) ? null : adviseOnApiKeyHeader(value) };
}

function withoutCandidate(bearers: string[], prefix: string): Credentials {
  const meant = bearers.find((line) => mentionOf(prefix).test(line));
  if (meant !== undefined) return { kind: "miswritten", advice: adviseOnAuthorization(meant) };
  return { kind: bearers.length > 0 ? "foreign" : "none" };
}

/** The values of a header that are separated by commas. Empty ones do not count (RFC 9110, section 5.6.1). */
function valuesOf(header: string | null): string[] {
  // Takes only spaces and tabs away. trim() would also take a no-break space, and so accept a key that only looks right.
  return (header ?? "").split(",").flatMap((member) => /[^ \t](?:.*[^ \t])?/.exec(member)?.[0] ?? []);
}

/** A key has letters, digits and underscores only. */
const isPlain = (text: string) => /^\w+$/.test(text);

/** A text that speaks of a key of ours. It is long enough that no other token holds it by chance. */
const mentionOf = (prefix: string) => new RegExp(`${prefix}_(?:live|test)_[0-9A-Za-z]*`);

/** The key in a value that may have quotes or more around it. So two values can be compared by their keys. */
const keyIn = (text: string, prefix: string) => (isPlain(text) ? text : (mentionOf(prefix).exec(text)?.[0] ?? text));

function decodeBasic(line: string): string {
  const [, encoded = ""] = /^basic +(\S+)$/i.exec(line) ?? [];
  return Buffer.from(encoded, "base64").toString("latin1");
}
