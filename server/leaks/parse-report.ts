import { z } from "zod";

import { findSecrets } from "../shared/find-secrets";
import { isWellFormedSecret, type SecretFormat } from "../shared/secret-format";
import type { Finding } from "./end-exposed-keys";

const mostMatches = 10_000;
export const mostCredentials = 100;
const longestPlace = 2_048;

const place = z.string().max(longestPlace).nullish();

/** GitHub may add fields to its matches. */
const matchSchema = z.object({ token: z.string(), type: z.string(), url: place, source: place });
/** The number of credentials is checked before each of them is looked at. */
const reportSchema = z.strictObject({ credentials: z.array(z.string()), url: place });

/** A match of GitHub's report. */
export interface GithubMatch extends Finding {
  /** GitHub's name for the kind of key. */
  type: string;
}

/** @returns the matches in their order. Null: the body is no report of GitHub's. */
export function parseGithubReport(body: Buffer): GithubMatch[] | null {
  const matches = parseJson(body);
  if (!Array.isArray(matches) || matches.length > mostMatches) return null;
  const { data } = z.array(matchSchema).safeParse(matches);
  return (
    data?.map(({ token, type, url, source }) => ({ token, type, url: url || null, location: source || null })) ?? null
  );
}

/** @returns what somebody says to have found. Null: the body is no report. */
export function parseReport(body: Buffer): Finding[] | null {
  const report = parseJson(body);
  const { credentials } = (report ?? {}) as { credentials?: unknown };
  if (!Array.isArray(credentials) || credentials.length === 0 || credentials.length > mostCredentials) return null;
  const { data } = reportSchema.safeParse(report);
  // The answer tells nobody that a line break at the end has made it no key.
  return data?.credentials.map((token) => ({ token: token.trim(), location: null, url: data.url || null })) ?? null;
}

/**
 * Reads what the form of the page `/leaked` sends: `text`, in which keys are looked for, and `url`.
 * @returns every finding, in the order in which they stand there. Null: a field is missing, or the address is too long.
 */
export function parseForm(body: Buffer, format: SecretFormat): Finding[] | null {
  const fields = new URLSearchParams(body.toString("utf8"));
  const text = fields.get("text");
  const url = fields.get("url") || null;
  if (text === null || !place.safeParse(url).success) return null;
  // Keys of another system have no checksum by which they could be found inside of other text.
  const words = text.split(/[^0-9A-Za-z_-]+/);
  const found = new Set([...findSecrets(text), ...words].filter((token) => isWellFormedSecret(token, format)));
  return [...found].map((token) => ({ token, location: null, url }));
}

/** @returns undefined for what is no JSON in UTF-8. */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
