import { publicIdPattern } from "../shared/public-id";
import type { KeyEnvironment } from "../shared/secret-format";

/**
 * What a slot remembers of a row. Everything that verification answers or judges by; every change to it purges the slot.
 * Times are in milliseconds since 1970.
 */
export interface SlotPayload {
  v: 1;
  /** Of the secret, in hexadecimal: a value that was copied from another slot speaks of another key. */
  hash: string;
  keyId: string;
  ownerId: string;
  name: string;
  environment: KeyEnvironment;
  scopes: string[];
  createdAt: number;
  expiresAt: number | null;
  access: { allowed: boolean | null; until: number | null };
  requestsPerMinute: number | null;
}

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
  v: (value) => value === 1,
  hash: matches(/^[0-9a-f]{64}$/),
  keyId: matches(publicIdPattern),
  ownerId: matches(/./s),
  name: isText,
  environment: (value) => value === "live" || value === "test",
  scopes: (value) => Array.isArray(value) && value.every(isText),
  createdAt: isTime,
  expiresAt: orNull(isTime),
  access: (value) => hasExactly(value, accessChecks),
  requestsPerMinute: orNull((value) => Number.isSafeInteger(value) && Number(value) > 0),
};

/**
 * Strictly: nothing of the cache is believed that is not understood to the last field. By hand, since the schema of a library took 30 µs of
 * each hit in a server process, several times as long as these lines.
 * @param hex the hash of the secret that is being verified.
 * @returns null for anything but a payload of that hash.
 */
export function parseSlotPayload(text: string, hex: string): SlotPayload | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return hasExactly(value, payloadChecks) && value.hash === hex ? value : null;
}

/** Own fields only, so that a polluted Object.prototype cannot supply one that the stored text lacks. */
function hasExactly<T extends object>(value: unknown, checks: Checks<T>): value is T {
  if (typeof value !== "object" || value === null) return false;
  const record = value as Record<keyof T, unknown>;
  for (const field in checks) if (!Object.hasOwn(record, field) || !checks[field](record[field])) return false;
  return Object.keys(record).length === Object.keys(checks).length;
}
