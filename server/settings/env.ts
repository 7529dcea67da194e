import { createPublicKey } from "node:crypto";

import { z } from "zod";

import { type AcceptedShape, beginsAsOwnKey } from "../shared/secret-format";
import { parseAcceptFormats } from "./accept-formats";
import { appOriginOf, normaliseOrigin } from "./app-origin";
import { assertClerkKeys, findSpoiltClerkSettings } from "./clerk-guard";
import { frontendHostOf, publicKeyPem } from "./clerk-keys";
import { isConnectionString } from "./connection-string";
import { eventsSecret } from "./events-secret";
import { readRedisAddress } from "./redis-address";

/** What is sent in a header must be there as it is here: HTTP trims white space, and programs disagree about letters outside ASCII. */
export const headerText = z.string().regex(/^[\x21-\x7e]+$/, "only letters of ASCII, digits and signs, no white space");
export const secret = headerText.min(32, "must have at least 32 characters").optional();
export const origin = z
  .string()
  .refine((text) => normaliseOrigin(text) !== null, "must be an origin such as https://example.com, without a path")
  .transform((text) => normaliseOrigin(text) ?? text);
/** A server that requests are sent to below this address. fetch refuses credentials in it. */
export const serverUrl = z
  .string()
  .refine((text) => isServerUrl(text), "must be an http or https URL without credentials, query or white space");

/** A Redis that is reached by its own protocol. The message names no part of it, since it may hold a password. */
export const redisUrl = z
  .string()
  .refine(
    (text) => readRedisAddress(text) !== null,
    "must be redis:// or rediss://, perhaps user:password@, a host, perhaps :port, perhaps /number",
  );

/**
 * An address of the operator's choice that this process sends requests to. Plain HTTP does not leave this machine; `parseEnvironment` refuses
 * even that in production.
 */
export const outsideUrl = z
  .string()
  .max(2_048)
  .refine((text) => isOutsideUrl(text), "must be an https URL without credentials, fragment or white space");

const schema = z.object({
  NODE_ENV: z.enum(["development", "production", "test"]).default("development"),
  PORT: z.coerce.number().int().min(1).max(65535).default(3000),
  NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: z
    .string()
    .refine((key) => frontendHostOf(key) !== null, "must be a publishable key of Clerk, pk_live_… or pk_test_…"),
  CLERK_SECRET_KEY: headerText.startsWith("sk_"),
  CLERK_JWT_KEY: z
    .string()
    .transform(publicKeyPem)
    .refine(isClerkPublicKey, "must be the PEM public key of the Clerk instance")
    .optional(),
  CLERK_API_URL: serverUrl.optional(),
  CLERK_WEBHOOK_SIGNING_SECRET: z
    .string()
    .regex(/^whsec_(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, "must be whsec_ and base64")
    .optional(),
  UPSTASH_REDIS_REST_URL: serverUrl.optional(),
  UPSTASH_REDIS_REST_TOKEN: headerText.optional(),
  REDIS_URL: redisUrl.optional(),
  DATABASE_URL: z.string().refine(isConnectionString, "must be a connection string that the driver pg takes"),
  APP_ORIGIN: origin.optional(),
  ALLOWED_ORIGINS: z
    .string()
    .default("")
    .transform((list) => list.split(",").map((entry) => entry.trim()))
    .transform((list) => list.filter((entry) => entry !== ""))
    .pipe(z.array(origin)),
  API_KEY_PREFIX: z
    .string()
    .regex(/^[a-z][a-z0-9]{0,9}$/, "must be 1 to 10 lower-case letters or digits, beginning with a letter")
    .default("lk"),
  API_KEY_ENVIRONMENT: z.enum(["live", "test"]).optional(),
  API_KEY_LIMIT: z.coerce.number().int().min(1).max(1000).default(5),
  API_KEY_ACCEPT_FORMATS: z.string().default("").transform(readAcceptFormats),
  API_KEY_REDIS_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9:_-]{1,40}$/, "must be 1 to 40 letters of ASCII, digits, :, _ or -")
    .default("latchkey:"),
  API_ACCESS_FEATURE: z
    .string()
    .regex(/^[\w-]+$/, "must be the slug of one Clerk feature: letters, digits, _ and -")
    .optional(),
  API_KEYS_ORG_PERMISSION: z
    .string()
    // Session tokens never name Clerk's own permissions, org:sys_….
    .regex(/^org:(?!sys_)[\w-]+:[\w-]+$/, "must be a custom permission of Clerk, org:feature:permission")
    .optional(),
  API_KEYS_ON_MEMBER_LEAVE: z.enum(["keep", "revoke"]).default("keep"),
  TRUSTED_PROXY_HOPS: z.coerce.number().int().min(0).max(10).default(0),
  HISTORY_DAYS: z.coerce.number().int().min(1).max(36_500).default(365),
  GITHUB_SECRET_SCANNING: z.enum(["on", "off"]).default("off"),
  GITHUB_SECRET_SCANNING_KEYS_URL: outsideUrl.default("https://api.github.com/meta/public_keys/secret_scanning"),
  LEAK_ACTION: z.enum(["revoke", "report"]).default("revoke"),
  EVENTS_WEBHOOK_URL: outsideUrl.optional(),
  EVENTS_WEBHOOK_SECRET: eventsSecret.optional(),
  INTROSPECTION_SECRET: secret,
  CRON_SECRET: secret,
  METRICS_SECRET: secret,
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
});

/** The rule of each setting. An option of `createLatchkey` that means the same has the same rule. */
export const settings = schema.shape;

export const settingNames: readonly string[] = Object.keys(settings);

function readAcceptFormats(text: string, context: z.RefinementCtx): AcceptedShape[] {
  const shapes = parseAcceptFormats(text);
  if (Array.isArray(shapes)) return shapes;
  context.addIssue({ code: "custom", message: shapes.problem });
  return z.NEVER;
}

function isServerUrl(text: string): boolean {
  if (/\s/.test(text) || !URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && username + password + search + hash === "";
}

/** https, or http to this machine. */
function isOutsideUrl(text: string): boolean {
  if (/\s/.test(text) || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password, hash } = new URL(text);
  const isLoopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname);
  return (protocol === "https:" || (protocol === "http:" && isLoopback)) && username + password + hash === "";
}

/** Clerk's verifier cuts the modulus out of the text of a 2048-bit key with the usual exponent: no other works. */
function isClerkPublicKey(pem: string): boolean {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey(pem);
    const { modulusLength, publicExponent } = asymmetricKeyDetails ?? {};
    return asymmetricKeyType === "rsa" && modulusLength === 2048 && publicExponent === 65_537n;
  } catch {
    return false;
  }
}

/**
 * Reads and checks every setting. White space around a value can only be a slip and is taken off; what is empty then counts as unset.
 * Quotes around a value are refused, since nobody knows whether they belong to it. So is whatever would start and then never work.
 * @throws Error whose message names each setting that is missing or malformed; values are never repeated in it.
 */
export function parseEnvironment(source: Record<string, string | undefined>) {
  const set = trimSettings(source);
  const isProduction = set.NODE_ENV === "production";
  if (isProduction) assertClerkKeys(source, "start");
  const parsed = schema.safeParse(set);
  const problems = [
    ...findRedisProblems(set),
    ...findProblems(parsed, set, settingNames),
    ...findSpoiltClerkSettings(source).map((name) => `${name} has white space in it, or stands in quotes`),
  ];
  if (isProduction && !set.APP_ORIGIN) problems.push("APP_ORIGIN is not set");
  if (isProduction && set.API_ACCESS_FEATURE && !set.CLERK_WEBHOOK_SIGNING_SECRET)
    problems.push("CLERK_WEBHOOK_SIGNING_SECRET is not set (API_ACCESS_FEATURE needs it)");
  if (set.EVENTS_WEBHOOK_URL && !set.EVENTS_WEBHOOK_SECRET)
    problems.push("EVENTS_WEBHOOK_SECRET is not set (EVENTS_WEBHOOK_URL needs it)");
  if (set.EVENTS_WEBHOOK_SECRET && !set.EVENTS_WEBHOOK_URL)
    problems.push("EVENTS_WEBHOOK_URL is not set (EVENTS_WEBHOOK_SECRET needs it)");
  // Only where nobody depends on it: in development, and in the end-to-end tests of a production build.
  if (isProduction && source.ALLOW_LOCAL_CLERK !== "e2e-only")
    problems.push(
      ...outsideUrls
        .filter((name) => /^http:/i.test(set[name] ?? ""))
        .map((name) => `${name} is malformed: must be an https URL in production`),
    );
  if (!parsed.success || problems.length > 0) throw new SettingsError(problems);
  return { ...parsed.data, APP_ORIGIN: appOriginOf(set) ?? "", API_KEY_ENVIRONMENT: environmentOf(parsed.data) };
}

const outsideUrls = ["GITHUB_SECRET_SCANNING_KEYS_URL", "EVENTS_WEBHOOK_URL"] as const;
const databaseOnly = schema.pick({ DATABASE_URL: true });
const forKeys = schema.pick({
  NODE_ENV: true,
  DATABASE_URL: true,
  API_KEY_PREFIX: true,
  API_KEY_ENVIRONMENT: true,
  API_KEY_ACCEPT_FORMATS: true,
});
/** What a command records is sent by the server, where it has this address. A command itself sends nothing, so a malformed one counts, too. */
const sendsEvents = (source: Record<string, string | undefined>) =>
  trimSettings(source).EVENTS_WEBHOOK_URL !== undefined;

/**
 * The one setting that the command `migrate` needs, by the rules of `parseEnvironment`. Nothing else that is set, or is wrong, matters to it.
 * @throws Error as `parseEnvironment`.
 */
export function parseDatabaseUrl(source: Record<string, string | undefined>): string {
  return parsePart(source, databaseOnly).DATABASE_URL;
}

/**
 * The settings of a command that works on keys in the database. It needs `DATABASE_URL`; the others have their defaults.
 * @throws Error as `parseEnvironment`.
 */
export function parseKeyEnvironment(source: Record<string, string | undefined>) {
  const settings = parsePart(source, forKeys);
  return { ...settings, API_KEY_ENVIRONMENT: environmentOf(settings), sendsEvents: sendsEvents(source) };
}

const forRedis = schema.pick({
  UPSTASH_REDIS_REST_URL: true,
  UPSTASH_REDIS_REST_TOKEN: true,
  REDIS_URL: true,
  API_KEY_REDIS_PREFIX: true,
});
const forRevoking = forKeys.extend(forRedis.shape);

/** The settings of a command that asks Redis alone. They name one Redis. @throws Error as `parseEnvironment`. */
export function parseRedisSettings(source: Record<string, string | undefined>) {
  return parsePart(source, forRedis);
}

/** The settings of a command that revokes keys: the database and Redis. @throws Error as `parseEnvironment`. */
export function parseRevokingEnvironment(source: Record<string, string | undefined>) {
  const settings = parsePart(source, forRevoking);
  return { ...settings, API_KEY_ENVIRONMENT: environmentOf(settings), sendsEvents: sendsEvents(source) };
}

function parsePart<Shape extends z.core.$ZodShape>(
  source: Record<string, string | undefined>,
  part: z.ZodObject<Shape>,
): z.output<z.ZodObject<Shape>> {
  const set = trimSettings(source);
  const parsed = part.safeParse(set);
  const problems = [
    ...("REDIS_URL" in part.shape ? findRedisProblems(set) : []),
    ...findProblems(parsed, set, Object.keys(part.shape)),
  ];
  if (!parsed.success || problems.length > 0) throw new Error(problems.join("\n"));
  return parsed.data;
}

function environmentOf(settings: { NODE_ENV: string; API_KEY_ENVIRONMENT?: "live" | "test" | undefined }) {
  return settings.API_KEY_ENVIRONMENT ?? (settings.NODE_ENV === "production" ? "live" : "test");
}

function findProblems(
  parsed: z.ZodSafeParseResult<{ API_KEY_PREFIX?: string; API_KEY_ACCEPT_FORMATS?: AcceptedShape[] }>,
  set: Record<string, string>,
  names: readonly string[],
): string[] {
  const problems = [
    ...(parsed.error?.issues ?? []).map((issue) => describeIssue(issue, set)),
    ...names
      .filter((name) => /^(["']).*\1$/s.test(set[name] ?? ""))
      .map((name) => `${name} stands in quotes: take them out`),
  ];
  const { API_KEY_ACCEPT_FORMATS: shapes = [], API_KEY_PREFIX: prefix = "" } = parsed.data ?? {};
  if (shapes.some((shape) => beginsAsOwnKey(shape.prefix, prefix)))
    problems.push("API_KEY_ACCEPT_FORMATS is malformed: what begins as our own keys has our own shape alone");
  return problems;
}

const upstashNames = ["UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"];

/** Verifications and purges must go to one Redis, so the settings must not name two. */
function findRedisProblems(set: Record<string, string>): string[] {
  if (set.REDIS_URL === undefined)
    return upstashNames
      .filter((name) => set[name] === undefined)
      .map((name) => `${name} is not set (nor is REDIS_URL)`);
  return upstashNames
    .filter((name) => set[name] !== undefined)
    .map((name) => `REDIS_URL is set and ${name} is set too: unset one of them`);
}

/** Settings without white space around them, and without those that are empty then. */
export function trimSettings(source: Record<string, string | undefined>): Record<string, string> {
  const trimmed = Object.entries(source).map(([name, value]): [string, string] => [name, value?.trim() ?? ""]);
  return Object.fromEntries(trimmed.filter(([, value]) => value !== ""));
}

function describeIssue(issue: z.core.$ZodIssue, set: Record<string, string>): string {
  const name = String(issue.path[0]);
  return set[name] === undefined ? `${name} is not set` : `${name} is malformed: ${issue.message}`;
}

/** Settings that are missing or malformed. */
export class SettingsError extends Error {
  override name = "SettingsError";
  readonly problems: readonly string[];

  /** @param problems each names a setting, and repeats no value. */
  constructor(problems: readonly string[]) {
    const all = [...new Set(problems)];
    super(`Latchkey cannot start:\n- ${all.join("\n- ")}\nLatchkey's docs/settings.md explains each setting.`);
    this.problems = all;
  }
}
