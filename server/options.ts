import { z } from "zod";

import type { ServerOptions } from "./context";
import { defaultHistoryDays } from "./history";
import type { HttpOptions } from "./http/handler";
import type { IdentityProvider } from "./http/identity";
import type { Adopt } from "./keys";
import { noIdentity } from "./http/no-identity";
import type { RedisAddress } from "./platform/redis-connection";
import { findShapeProblem } from "./settings/accept-formats";
import { defaultLeakSettings } from "./leaks";
import { eventsSecret } from "./settings/events-secret";
import { headerText, origin, outsideUrl, redisUrl, secret, serverUrl, settings } from "./settings/env";
import { readRedisAddress } from "./settings/redis-address";
import { type CharacterClass, characterClasses, type SecretFormat } from "./shared/secret-format";

type Task = () => Promise<void>;

export interface LatchkeyOptions<Scope extends string = string> extends Partial<
  Omit<ServerOptions, "scopes" | "redis" | "secretFormat">
> {
  /** A Postgres primary, as a connection string. */
  databaseUrl: string;
  /**
   * The Redis leader: behind Upstash's REST API, or by its own protocol (`connection`: `redis://` or, with TLS, `rediss://`). `prefix`: what all
   * keys of ours there begin with, by default `latchkey:`.
   */
  redis: { url: string; token: string; prefix?: string } | { connection: string; prefix?: string };
  /** By default `lk` and `live`. Secrets of another prefix or environment are refused without any I/O. */
  secretFormat?: Partial<SecretFormat>;
  /** What a key may be allowed to do. A key that is created without scopes gets all of them. */
  scopes?: readonly Scope[];
  /** Who is signed in: `createClerk(…)` of `latchkey/clerk`. Without it nobody is, and keys are only verified. */
  identity?: IdentityProvider;
  http?: Partial<HttpOptions>;
  /**
   * Runs work that need not delay an answer, such as the fill of the cache. The host must let it end, also where a function freezes after its
   * answer: with Next, `(task) => after(task)`. By default it runs at once and is not waited for.
   */
  defer?: (task: Task) => void;
}

const isFunction = (value: unknown) => typeof value === "function";
/** A wrong value is never repeated: it may be a secret at the wrong place. */
const fn = <Type>(message = "must be a function") => z.custom<Type>(isFunction, message);
const isIdentity = (value: unknown) =>
  value !== null &&
  typeof value === "object" &&
  ["readSession", "verifyBearer", "createWebhook"].every((name) =>
    isFunction((value as Record<string, unknown>)[name]),
  );
/** A scope is one word of RFC 6749, section 3.3. In an answer several of them are separated by spaces. */
const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/, "must be 1 to 100 signs of ASCII, no white space");

/** As `API_KEY_ACCEPT_FORMATS` has it. */
const acceptedShape = z
  .strictObject({
    prefix: z.string().regex(/^[0-9A-Za-z_-]{0,32}$/, "must be at most 32 letters, digits, _ or -"),
    characters: z.enum(Object.keys(characterClasses) as CharacterClass[]),
    length: z.int(),
  })
  .superRefine((shape, context) => {
    const message = findShapeProblem(shape);
    if (message !== null) context.addIssue({ code: "custom", message });
  });

const prefix = settings.API_KEY_REDIS_PREFIX;
const redisByRest = z.strictObject({ url: serverUrl, token: headerText, prefix });
const redisByTcp = z.strictObject({ connection: redisUrl, prefix }).transform(({ connection, ...rest }, context) => {
  const address: RedisAddress | null = readRedisAddress(connection);
  if (address) return { address, ...rest };
  context.addIssue("has no address");
  return z.NEVER;
});

/** One rule for each option. An option without a rule does not compile. */
const rules = {
  databaseUrl: settings.DATABASE_URL,
  // By what is there, so that a problem names the one option that has it. A union would name none.
  redis: z.unknown().transform((value, context) => {
    const isByTcp = value !== null && typeof value === "object" && "connection" in value;
    const { data, error } = (isByTcp ? redisByTcp : redisByRest).safeParse(value);
    if (data) return data;
    for (const issue of error.issues) context.issues.push({ ...issue, input: value } as z.core.$ZodRawIssue);
    return z.NEVER;
  }),
  secretFormat: z
    .strictObject({
      prefix: settings.API_KEY_PREFIX,
      environment: z.enum(["live", "test"]).default("live"),
      accepted: z.array(acceptedShape).max(20).default([]),
    })
    .prefault({}),
  scopes: z.array(scope).max(100).default([]),
  adopt: fn<Adopt>().optional(),
  keyLimit: z.int().min(1).max(1000).default(5),
  accessFeature: settings.API_ACCESS_FEATURE,
  onMemberLeave: settings.API_KEYS_ON_MEMBER_LEAVE,
  trustedProxyHops: z.int().min(0).max(10).default(0),
  historyDays: z.int().min(1).max(36_500).default(defaultHistoryDays),
  leaks: z
    .strictObject({
      action: settings.LEAK_ACTION,
      githubSecretScanning: z.boolean().default(defaultLeakSettings.githubSecretScanning),
      githubKeysUrl: outsideUrl.default(defaultLeakSettings.githubKeysUrl),
    })
    .prefault({}),
  logLevel: settings.LOG_LEVEL,
  events: z.strictObject({ url: outsideUrl, secret: eventsSecret }).optional(),
  identity: z
    .custom<IdentityProvider>(isIdentity, "must have readSession, verifyBearer and createWebhook")
    .default(() => noIdentity),
  http: z
    .strictObject({
      appOrigin: z.literal("").or(origin).default(""),
      allowedOrigins: z.array(origin).default([]),
      introspectionSecret: secret,
      cronSecret: secret,
      metricsSecret: secret,
    })
    .prefault({}),
  defer: fn<(task: Task) => void>().default(() => (task: Task) => void task()),
  now: fn<() => Date>().default(() => () => new Date()),
} satisfies Record<keyof LatchkeyOptions, z.ZodType>;

/** `fromEnvironment` gives these beside the options. They are for the composition, so they may come along. */
const passedOver = { clerk: z.unknown().optional(), publishableKey: z.unknown().optional() };
const schema = z.strictObject({ ...rules, ...passedOver });

/**
 * Checks the options of `createLatchkey` and sets the defaults.
 * @throws Error that names every option that is missing, malformed or unknown. It never repeats a value.
 */
export function checkOptions(options: unknown) {
  const { data, error } = schema.safeParse(options);
  if (error) throw new Error(`createLatchkey cannot use these options:\n- ${error.issues.map(describe).join("\n- ")}`);
  const { clerk: _clerk, publishableKey: _publishableKey, ...checked } = data;
  const { introspectionSecret, cronSecret, metricsSecret, ...http } = checked.http;
  return {
    ...checked,
    accessFeature: checked.accessFeature,
    http: { ...http, introspectionSecret, cronSecret, metricsSecret },
  };
}

function describe(issue: z.core.$ZodIssue): string {
  const name = issue.path.join(".");
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => `${[...issue.path, key].join(".")} is no option`).join("\n- ");
  if (name === "") return "the options must be an object";
  return /received undefined$/.test(issue.message) ? `${name} is not set` : `${name} is malformed: ${issue.message}`;
}
