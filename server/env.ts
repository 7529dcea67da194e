import { z } from "zod";

import { assertClerkKeys } from "./clerk-guard";

const optionalText = z
  .string()
  .optional()
  .transform((value) => (value === undefined || value === "" ? undefined : value));
const secret = optionalText.pipe(z.string().min(32, "must have at least 32 characters").optional());
const origin = z.url({ protocol: /^https?$/ }).transform((value) => new URL(value).origin);

const schema = z.object({
  NODE_ENV: z.enum(["development", "production", "test"]).default("development"),
  PORT: z.coerce.number().int().min(1).max(65535).default(3000),
  NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: z.string().startsWith("pk_"),
  CLERK_SECRET_KEY: z.string().startsWith("sk_"),
  CLERK_JWT_KEY: optionalText,
  CLERK_API_URL: optionalText,
  CLERK_WEBHOOK_SIGNING_SECRET: optionalText,
  UPSTASH_REDIS_REST_URL: z.url({ protocol: /^https?$/ }),
  UPSTASH_REDIS_REST_TOKEN: z.string().min(1),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
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
  API_ACCESS_FEATURE: optionalText,
  TRUSTED_PROXY_HOPS: z.coerce.number().int().min(0).max(10).default(0),
  INTROSPECTION_SECRET: secret,
  CRON_SECRET: secret,
  METRICS_SECRET: secret,
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
});

export const settingNames: readonly string[] = Object.keys(schema.shape);

export type Environment = ReturnType<typeof parseEnvironment>;

/**
 * Reads and checks every setting. Empty strings count as unset.
 * @throws Error whose message names each setting that is missing or malformed; values are never repeated in it.
 */
export function parseEnvironment(source: Record<string, string | undefined>) {
  if (source.NODE_ENV === "production") assertClerkKeys(source, "start");
  const set = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== ""));
  const parsed = schema.safeParse(set);
  if (!parsed.success) throw new Error(describeProblems(parsed.error, set));
  const values = parsed.data;
  const isProduction = values.NODE_ENV === "production";
  const problems = [];
  if (isProduction && !values.APP_ORIGIN) problems.push("APP_ORIGIN is not set");
  if (isProduction && values.API_ACCESS_FEATURE && !values.CLERK_WEBHOOK_SIGNING_SECRET)
    problems.push("CLERK_WEBHOOK_SIGNING_SECRET is not set (API_ACCESS_FEATURE needs it)");
  if (problems.length > 0) throw new Error(`Latchkey cannot start:\n- ${problems.join("\n- ")}`);
  return {
    ...values,
    APP_ORIGIN: values.APP_ORIGIN ?? `http://localhost:${values.PORT}`,
    API_KEY_ENVIRONMENT: values.API_KEY_ENVIRONMENT ?? (isProduction ? "live" : "test"),
  };
}

function describeProblems(error: z.ZodError, set: Record<string, string | undefined>): string {
  const lines = error.issues.map((issue) => {
    const name = String(issue.path[0]);
    return set[name] === undefined ? `${name} is not set` : `${name} is malformed: ${issue.message}`;
  });
  return `Latchkey cannot start:\n- ${lines.join("\n- ")}\n\`npm run dev\` starts local stand-ins for what is unset; see .env.example.`;
}

let environment: Environment | undefined;

/** The settings of this process, read once. Called at start by `instrumentation.ts`, so that a bad setting stops the start. */
export function getEnvironment(): Environment {
  environment ??= parseEnvironment(process.env);
  return environment;
}
