import { type FindByHash, prepareFindByHash } from "./keys/find-by-hash";
import { createSlots, type Slots } from "./slot/slot";
import { createSlotBreaker, type SlotBreaker } from "./slot/slot-breaker";
import { createUnknownHashes, type UnknownHashes } from "./keys/unknown-hashes";
import { createUsageRecorder, type UsageRecorder } from "./keys/usage";
import { type ConcurrencyLimit, createConcurrencyLimit } from "./platform/concurrency-limit";
import { createDatabase, type Database } from "./platform/database";
import { type Environment, getEnvironment } from "./settings/env";
import { createFailedAttempts, type FailedAttempts } from "./keys/failed-attempts";
import { createLogger, type Logger } from "./platform/logger";
import { createMetrics, type Metrics } from "./platform/metrics";
import { createRateLimit, type RateLimit } from "./platform/rate-limit";
import { createRedisClients, type RedisClients } from "./platform/redis";

type KeySettings = Pick<
  Environment,
  "API_KEY_PREFIX" | "API_KEY_ENVIRONMENT" | "API_KEY_LIMIT" | "API_ACCESS_FEATURE" | "TRUSTED_PROXY_HOPS"
>;

/** All that the domain needs, as plain arguments: tests pass their own clock, database and Redis. */
export interface ServerContext {
  settings: KeySettings;
  db: Database;
  findByHash: FindByHash;
  redis: RedisClients;
  slots: Slots;
  slotBreaker: SlotBreaker;
  logger: Logger;
  metrics: Metrics;
  now: () => Date;
  /** Bounds what verification may read from the database at once, per process. */
  databaseReads: ConcurrencyLimit;
  unknownHashes: UnknownHashes;
  usage: UsageRecorder;
  failedAttempts: FailedAttempts;
  limits: { owner: RateLimit; create: RateLimit; invalidate: RateLimit };
}

/**
 * Twice as many as connections keep the pool busy, and a revocation never waits behind more. A burst of misses, as after a restart of
 * Redis, waits its turn; a database that stands still costs a verification a second before it is told so.
 */
const databaseReads = { atOnce: 20, waiting: 500, patienceMilliseconds: 1_000 };

export function createServerContext(
  environment: KeySettings &
    Pick<Environment, "DATABASE_URL" | "UPSTASH_REDIS_REST_URL" | "UPSTASH_REDIS_REST_TOKEN" | "LOG_LEVEL">,
  now: () => Date = () => new Date(),
): ServerContext {
  const db = createDatabase(environment.DATABASE_URL);
  const logger = createLogger(environment.LOG_LEVEL);
  const redis = createRedisClients({
    url: environment.UPSTASH_REDIS_REST_URL,
    token: environment.UPSTASH_REDIS_REST_TOKEN,
  });
  return {
    settings: environment,
    db,
    findByHash: prepareFindByHash(db),
    redis,
    slots: createSlots(redis),
    slotBreaker: createSlotBreaker(),
    metrics: createMetrics(db),
    logger,
    now,
    databaseReads: createConcurrencyLimit(databaseReads),
    unknownHashes: createUnknownHashes(now),
    usage: createUsageRecorder({ db, logger, now }),
    failedAttempts: createFailedAttempts(now),
    limits: {
      owner: createRateLimit({ redis: redis.limiter, name: "owner", logger }),
      create: createRateLimit({ redis: redis.limiter, name: "create", logger }),
      invalidate: createRateLimit({ redis: redis.limiter, name: "invalidate", logger }),
    },
  };
}

// On globalThis: a development reload evaluates this module again and must not open a second pool.
const holder = globalThis as { latchkeyServerContext?: ServerContext };

/** The one context of this process, from its settings. @throws what `getEnvironment` throws. */
export function getServerContext(): ServerContext {
  holder.latchkeyServerContext ??= createServerContext(getEnvironment());
  return holder.latchkeyServerContext;
}
