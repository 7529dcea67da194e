import { chmod, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";

import { normaliseOrigin } from "@/server/settings/app-origin";
import { isConnectionString } from "@/server/settings/connection-string";
import { migrateDatabase } from "@/server/platform/migrate";
import { trimSettings } from "@/server/settings/env";

import { startLocalClerk, type LocalClerk } from "./clerk";
import { startLocalPostgres, type LocalPostgres } from "./postgres";
import { startLocalRedis, type LocalRedis } from "./redis";

export interface LocalStackOptions {
  /** Where the local services keep their state. One process at a time may use it. */
  directory: string;
  /** Where the app will listen, on localhost. */
  port: number;
  /** Which services are already given: those are used as they are. Read as server/settings/env.ts does: what is empty counts as unset. */
  settings: Record<string, string | undefined>;
  redis?: "auto" | "embedded" | "redis-server";
  /** false: for tests; the database is faster, and gone after `stop()`. */
  durable?: boolean;
}

export interface LocalStack {
  /** What the app must be started with, and built with, on top of `settings`. */
  environment: Record<string, string>;
  /** The services that were started here; what `settings` named is absent. */
  parts: { postgres?: LocalPostgres; redis?: LocalRedis; clerk?: LocalClerk };
  stop(): Promise<void>;
}

/**
 * Starts a local Postgres, Redis and sign-in, whichever `settings` leaves unset, and applies the migrations.
 * @throws an Error that names the setting when only one of a pair is set or one that is needed here is malformed; then nothing has been
 *   started.
 */
export async function startLocalStack(options: LocalStackOptions): Promise<LocalStack> {
  const { port, redis: redisServer = "auto", durable = true } = options;
  const settings = trimSettings(options.settings);
  const directory = resolve(options.directory);
  const databaseUrl = settings.DATABASE_URL;
  const hasUpstash = hasPair(settings, "UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN");
  if (hasUpstash && settings.REDIS_URL)
    throw new Error("REDIS_URL is set beside Upstash's settings. Set one of the two.");
  const needsRedis = !hasUpstash && !settings.REDIS_URL;
  const needsClerk = !hasPair(settings, "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "CLERK_SECRET_KEY");
  const appOrigin = normaliseOrigin(settings.APP_ORIGIN ?? `http://localhost:${port}`);
  if (appOrigin === null) throw new Error("APP_ORIGIN is malformed: it must be an origin such as https://example.com.");
  if (databaseUrl && !isConnectionString(databaseUrl))
    throw new Error("DATABASE_URL is malformed: the driver pg cannot connect by it.");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // The folder may be older than this rule. Postgres opens it further where it has to run as another user.
  await chmod(directory, 0o700);

  const starts = [
    databaseUrl ? migrateDatabase(databaseUrl).then(() => undefined) : startMigratedPostgres(directory, durable),
    startIf(needsRedis, () => startLocalRedis({ server: redisServer, directory: join(directory, "redis") })),
    startIf(needsClerk, () => startLocalClerk({ directory: join(directory, "clerk"), appOrigin })),
  ] as const;
  const results = await Promise.allSettled(starts);
  const failure = results.find((result) => result.status === "rejected");
  if (failure) {
    await stopAll(results.map((result) => (result.status === "fulfilled" ? result.value : undefined)));
    throw failure.reason;
  }
  const [postgres, redis, clerk] = await Promise.all(starts);

  return {
    environment: {
      PORT: String(port),
      APP_ORIGIN: appOrigin,
      ...(postgres && { DATABASE_URL: postgres.url }),
      ...(redis && { UPSTASH_REDIS_REST_URL: redis.url, UPSTASH_REDIS_REST_TOKEN: redis.token }),
      ...clerk?.environment,
    },
    parts: { ...(postgres && { postgres }), ...(redis && { redis }), ...(clerk && { clerk }) },
    stop: () => stopAll([clerk, redis, postgres]),
  };
}

async function startMigratedPostgres(directory: string, durable: boolean): Promise<LocalPostgres> {
  const postgres = await startLocalPostgres({ directory, durable });
  try {
    await migrateDatabase(postgres.url);
    return postgres;
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

function hasPair(settings: LocalStackOptions["settings"], first: string, second: string): boolean {
  const [set, missing] = settings[first] ? [first, second] : [second, first];
  if (settings[set] && !settings[missing]) {
    throw new Error(`${set} is set but ${missing} is not. Set both, or neither to use the local one.`);
  }
  return Boolean(settings[set]);
}

async function startIf<T>(isNeeded: boolean, start: () => Promise<T>): Promise<T | undefined> {
  return isNeeded ? start() : undefined;
}

/** Stops each, even when one before it fails; then rejects with the first failure. */
async function stopAll(parts: ({ stop(): Promise<void> } | undefined)[]) {
  const results = await Promise.allSettled(parts.map(async (part) => part?.stop()));
  const failure = results.find((result) => result.status === "rejected");
  if (failure) throw failure.reason;
}
