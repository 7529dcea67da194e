import { publicIdPattern } from "../shared/public-id";
import type { KeyEnvironment } from "../shared/secret-format";

/**
 * The version counts how values are judged. Version 1 knew no end of a secret. A process of that version may store such a value at any time,
 * so a value of another version is never accepted.
 */
const version = 2;

/**
 * What a slot remembers of a key's row and its owner's: all that a verification judges by or returns. A change to any of it has to purge the
 * slot, through `changeAndPurge`. Times are in milliseconds since 1970.
 */
export interface SlotPayload {
  v: typeof version;
  /** The key's hash in hexadecimal. It shows when a value was copied here from another slot. */
  hash: string;
  keyId: string;
  ownerId: string;
  createdBy: string;
  name: string;
  environment: KeyEnvironment;
  scopes: string[];
  createdAt: number;
  expiresAt: number | null;
  /** Which of the key's secrets this one is. A secret that waits for its first use is never in a slot. */
  secret: "current" | "previous";
  /** When the secret itself ends, apart from its key. A previous one always has an end, the current one never. */
  endsAt: number | null;
  access: { allowed: boolean | null; until: number | null };
  requestsPerMinute: number | null;
}

/** The name of a hash's slot in Redis. */
export const slotKeyOf = (prefix: string, hex: string) => `${prefix}ak:${hex}`;

type Check = (value: unknown) => boolean;
type Checks<T> = Record<keyof T, Check>;

const latestTime = 8.64e15;

const isText: Check = (value) => typeof value === "string";
const isTime: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= latestTime;
const matches =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === "string" && pattern.test(value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);

const accessChecks: Checks<SlotPayload["access"]> = {
  allowed: orNull((value) => typeof value === "boolean"),
  until: orNull(isTime),
};
const payloadChecks: Checks<SlotPayload> = {
  v: (value) => value === version,
  hash: matches(/^[0-9a-f]{64}$/),
  keyId: matches(publicIdPattern),
  ownerId: matches(/./s),
  createdBy: matches(/./s),
  name: isText,
  environment: (value) => value === "live" || value === "test",
  scopes: (value) => Array.isArray(value) && value.every(isText),
  createdAt: isTime,
  expiresAt: orNull(isTime),
  secret: (value) => value === "current" || value === "previous",
  endsAt: orNull(isTime),
  access: (value) => hasExactly(value, accessChecks),
  requestsPerMinute: orNull((value) => Number.isSafeInteger(value) && Number(value) > 0),
};

/**
 * Reads a payload strictly: a value is believed only if every field is understood. The checks are written by hand, since a schema library
 * took 30 µs of each hit in a server process, several times as long.
 * @param hex the hash of the secret that is being verified, in hexadecimal.
 * @returns null for anything but a payload of that hash.
 */
export function parseSlotPayload(text: string, hex: string): SlotPayload | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!hasExactly(value, payloadChecks) || value.hash !== hex) return null;
  return (value.secret === "previous") === (value.endsAt !== null) ? value : null;
}

/** Looks at own fields only, so that a polluted Object.prototype cannot add a field that the stored text lacks. */
function hasExactly<T extends object>(value: unknown, checks: Checks<T>): value is T {
  if (typeof value !== "object" || value === null) return false;
  const record = value as Record<keyof T, unknown>;
  for (const field in checks) if (!Object.hasOwn(record, field) || !checks[field](record[field])) return false;
  return Object.keys(record).length === Object.keys(checks).length;
}
