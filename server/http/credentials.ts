import { readBearer } from "./bearer";
import { adviseOnApiKeyHeader, adviseOnAuthorization } from "./miswritten-key";

/** What a request brings as its API key. */
export type Credentials =
  | { kind: "key"; secret: string }
  | { kind: "none" }
  /** A bearer that is no API key of ours: somebody else's token. */
  | { kind: "foreign" }
  /** A key in a form that is not accepted. `advice` says what to change, without the key. */
  | { kind: "miswritten"; advice: string }
  | { kind: "ambiguous" };

/** A key that a header names, and what is wrong with how it does. */
interface Candidate {
  key: string;
  advice: string | null;
}

/**
 * Finds the key in `Authorization: Bearer <key>` or `X-API-Key: <key>`. An empty header is as absent. Query string and cookies never
 * count.
 *
 * Two different keys are ambiguous, and none is chosen: two layers that chose differently would let a request act for two owners.
 * A bearer without our prefix is no key. Beside an `X-API-Key` it belongs to another layer and is ignored.
 *
 * A repeated header arrives here as one value with commas, as fetch's `Headers` joins it. Equal values count once. Node keeps only the
 * first `Authorization` line; `prepareNodeRequests` brings the others back before a route is called (decision 009).
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
  // Somebody else's bearer may stand beside an X-API-Key, but not in a second line of the header that holds our key.
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

/** The members of a header with commas; empty ones do not count (RFC 9110, section 5.6.1). */
function valuesOf(header: string | null): string[] {
  // Spaces and tabs only: trim() would also take a no-break space away, and accept what looks right and is not.
  return (header ?? "").split(",").flatMap((member) => /[^ \t](?:.*[^ \t])?/.exec(member)?.[0] ?? []);
}

/** A key has letters, digits and underscores only. */
const isPlain = (text: string) => /^\w+$/.test(text);

/** Long enough that no other token holds it by chance. */
const mentionOf = (prefix: string) => new RegExp(`${prefix}_(?:live|test)_[0-9A-Za-z]*`);

/** The key in a value that may have quotes and the like around it, so that two values are compared by their keys. */
const keyIn = (text: string, prefix: string) => (isPlain(text) ? text : (mentionOf(prefix).exec(text)?.[0] ?? text));

function decodeBasic(line: string): string {
  const [, encoded = ""] = /^basic +(\S+)$/i.exec(line) ?? [];
  return Buffer.from(encoded, "base64").toString("latin1");
}
