import { createEventSender, type EventSettings } from "./events";
import { createAdoptions } from "./keys/adopt";
import type { KeySettings, ServerContext } from "./keys/context";
import { prepareFindByHash } from "./keys/find-by-hash";
import { prepareFindOwnKey } from "./keys/find-own-key";
import { createUnknownHashes } from "./keys/unknown-hashes";
import { createUsageRecorder } from "./keys/usage";
import { defaultHistoryDays } from "./history";
import { createLeaks, defaultLeakSettings, type LeakContext, type LeakSettings } from "./leaks";
import { createCallWindow } from "./platform/call-window";
import { createConcurrencyLimit } from "./platform/concurrency-limit";
import { createDatabase } from "./platform/database";
import { createLogger } from "./platform/logger";
import { createMetrics } from "./platform/metrics";
import { createCallLimit } from "./platform/call-limit";
import { createRedisClients, type RedisPlace } from "./platform/redis";
import { createSlots } from "./slot/slot";
import { createSlotBreaker } from "./gateway/slot-breaker";

export interface ServerOptions extends Omit<KeySettings, "historyDays"> {
  /** How many days the history is kept, by default 365. */
  historyDays?: number;
  /** What happens to keys that are found where they do not belong. */
  leaks?: Partial<LeakSettings>;
  /** A Postgres primary. */
  databaseUrl: string;
  /** The Redis leader. Every key of ours there begins with `prefix`, in all processes with the same one. */
  redis: RedisPlace & { prefix: string };
  logLevel: string;
  /** Where every event of the history is sent. Absent: nowhere. */
  events?: EventSettings | undefined;
  now?: () => Date;
}

/**
 * Limits what verifications read from the database. 20 reads are twice the pool's connections: they keep the pool busy, and a revocation
 * never waits behind more of them. A burst of misses, such as after a restart of Redis, waits in the queue. When the database answers nothing,
 * a verification that waits is refused after one second.
 */
const databaseReads = { atOnce: 20, waiting: 500, patienceMilliseconds: 1_000 };

/** Unknown keys of one address in a minute, so that guessing does not cost the database a read each time. */
const failedAttempts = 30;

/**
 * Makes everything that one process needs. It connects to nothing yet and reads no environment. A process may have more than one.
 * @example
 * const context = createServerContext({
 *   secretFormat: { prefix: "lk", environment: "live" }, keyLimit: 5, accessFeature: undefined, onMemberLeave: "keep",
 *   trustedProxyHops: 0,
 *   databaseUrl: "postgres://…", redis: { url: "https://…", token: "…", prefix: "latchkey:" }, logLevel: "info",
 * });
 */
export function createServerContext(options: ServerOptions): ServerContext & Pick<LeakContext, "leaks"> {
  const {
    databaseUrl,
    logLevel,
    events,
    now = () => new Date(),
    historyDays = defaultHistoryDays,
    leaks,
    ...settings
  } = options;
  const db = createDatabase(databaseUrl, { sendsEvents: events !== undefined });
  const logger = createLogger(logLevel);
  const metrics = createMetrics();
  const redis = createRedisClients(options.redis, logger);
  const { prefix } = options.redis;
  const limit = (name: string) => createCallLimit({ redis: redis.limiter, prefix, name, logger });
  return {
    settings: { ...settings, historyDays },
    db,
    findByHash: prepareFindByHash(db),
    findOwnKey: prepareFindOwnKey(db),
    redis,
    slots: createSlots({ redis, prefix }),
    slotBreaker: createSlotBreaker(),
    metrics,
    logger,
    now,
    databaseReads: createConcurrencyLimit(databaseReads),
    unknownHashes: createUnknownHashes(now),
    adoptions: createAdoptions(settings.adopt),
    usage: createUsageRecorder({ db, logger, now }),
    failedAttempts: createCallWindow({ allowed: failedAttempts, now }),
    events: events && createEventSender({ db, logger, metrics, events }),
    limits: { owner: limit("owner"), create: limit("create"), invalidate: limit("invalidate") },
    leaks: createLeaks({ ...defaultLeakSettings, ...leaks }, { now, logger }),
  };
}
