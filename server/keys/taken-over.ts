import { z } from "zod";

import { nameInput, scopesInput } from "../shared/inputs";

/** A key of another system, as it is taken over: by an import, or on its first use. */
export interface TakenOverKey {
  ownerId: string;
  name: string;
  /** SHA-256 of the whole secret, 32 bytes. */
  hash: Buffer;
  /** What is shown of the secret. */
  display: string;
  scopes: string[];
  /** Null: when it is taken over. */
  createdAt: Date | null;
  expiresAt: Date | null;
}

/** A moment in the present form of ISO 8601, with its offset. A number could be of seconds or of milliseconds. */
const moment = z
  .union([z.date(), z.iso.datetime({ offset: true }).transform((text) => new Date(text))], {
    error: "must be a date and time such as 2026-11-27T09:30:00Z",
  })
  // What the slot cannot hold would never be cached.
  .refine((date) => date.getTime() >= 0, "must be in 1970 or later")
  .nullish()
  .transform((date) => date ?? null);

/** Which scopes a key may have. */
export interface ScopeRules {
  /** Null where nobody can tell which the app has. Then any name of a scope is taken (RFC 6749, scope-token). */
  known: readonly string[] | null;
  /** For a key that names none. */
  default: readonly string[];
}

/** What must be known of a key of another system. The rules of names and scopes are those of `create`. */
export function takenOverFields(rules: ScopeRules) {
  const isKnown = (scope: string) => rules.known?.includes(scope) ?? /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope);
  return {
    ownerId: z.string().regex(/^[\x21-\x7e]{1,255}$/, "must be 1 to 255 letters of ASCII without white space"),
    name: nameInput,
    scopes: scopesInput
      .refine((scopes) => scopes.every(isKnown), "must be a list of scopes that this app has")
      .nullish()
      .transform((scopes) => scopes ?? [...rules.default]),
    createdAt: moment,
    expiresAt: moment,
  };
}

/** What is wrong with the times of a key, judged at `now`. Null when nothing is. */
export function findTimeProblem(key: Pick<TakenOverKey, "createdAt" | "expiresAt">, now: Date): string | null {
  if (key.createdAt && key.createdAt.getTime() > now.getTime() + clockToleranceMilliseconds)
    return "createdAt is in the future";
  return key.createdAt && key.expiresAt && key.expiresAt <= key.createdAt ? "expiresAt is before createdAt" : null;
}

/** How far the clock of the other system may be ahead. */
const clockToleranceMilliseconds = 300_000;

/**
 * Says what is wrong with values from another system, without the values: a field's name and a fixed sentence.
 * @param known the fields that there may be.
 */
export function describeRefusal(error: z.ZodError, known: readonly string[]): string {
  const [issue] = error.issues;
  if (issue?.code === "unrecognized_keys") return `there are other fields than ${known.join(", ")}`;
  const field = String(issue?.path[0] ?? "");
  return field === "" ? "this is no JSON object" : `${field}: ${issue?.message ?? "is not valid"}`;
}
