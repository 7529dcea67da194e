import { and, inArray, lt, sql } from "drizzle-orm";

import type { Database, Statements } from "../platform/database";
import { apiKeyUsage } from "../platform/schema";
import { describeFault, type Logger } from "../platform/logger";

/** A key's uses reach the database at most once in this time from one process. */
const flushMilliseconds = 60_000;

const rowsAtOnce = 1_000;
const hourMilliseconds = 3_600_000;
const keptMilliseconds = 31 * 24 * hourMilliseconds;

export interface UsageRecorder {
  /**
   * Counts one accepted verification. No I/O.
   * @param at in milliseconds since 1970
   * @returns a task to defer when it is time to write, else null.
   */
  record(keyId: string, at: number): (() => Promise<void>) | null;
  /** Writes what has been counted so far. A failed write is kept for the next one. */
  flush(): Promise<void>;
}

type Uses = typeof apiKeyUsage.$inferInsert;

/** Numbers only: every hit comes past here. */
interface Counted {
  count: number;
  lastUsedAt: number;
}

/** Counts uses in the process and writes them in batches; a crash loses at most the last minute. */
export function createUsageRecorder(options: { db: Database; logger: Logger; now: () => Date }): UsageRecorder {
  const { db, logger, now } = options;
  /** By the beginning of the hour, then by key. */
  const pending = new Map<number, Map<string, Counted>>();
  let lastFlush = 0;
  let timer: NodeJS.Timeout | undefined;

  async function flush() {
    clearTimeout(timer);
    timer = undefined;
    lastFlush = now().getTime();
    const uses = takePending();
    for (let first = 0; first < uses.length; first += rowsAtOnce) await write(uses.slice(first, first + rowsAtOnce));
  }

  /** In one order everywhere, so that two processes that write the same keys do not wait for each other. */
  function takePending(): Uses[] {
    const hours = [...pending].sort(([a], [b]) => a - b);
    pending.clear();
    return hours.flatMap(([hour, keys]) =>
      [...keys]
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([keyId, { count, lastUsedAt }]) => ({
          keyId,
          hour: new Date(hour),
          count,
          lastUsedAt: new Date(lastUsedAt),
        })),
    );
  }

  async function write(batch: readonly Uses[]) {
    try {
      await upsertUses(db, batch);
    } catch (fault) {
      for (const { keyId, hour, count, lastUsedAt } of batch) add(hour.getTime(), keyId, count, lastUsedAt.getTime());
      logger.warn({ fault: describeFault(fault), keys: batch.length }, "usage not written; kept for the next flush");
    }
  }

  function add(hour: number, keyId: string, count: number, lastUsedAt: number) {
    const keys = pending.get(hour) ?? new Map<string, Counted>();
    if (keys.size === 0) pending.set(hour, keys);
    const known = keys.get(keyId);
    if (!known) keys.set(keyId, { count, lastUsedAt });
    else {
      known.count += count;
      known.lastUsedAt = Math.max(known.lastUsedAt, lastUsedAt);
    }
  }

  return {
    flush,
    record(keyId, at) {
      add(at - (at % hourMilliseconds), keyId, 1, at);
      const sinceFlush = at - lastFlush;
      // Negative: the clock was set back.
      if (sinceFlush >= flushMilliseconds || sinceFlush < 0) {
        lastFlush = at;
        return flush;
      }
      // A long-lived server writes without waiting for another request; where the process freezes, the next request does.
      timer ??= setTimeout(() => void flush(), flushMilliseconds - sinceFlush).unref();
      return null;
    },
  };
}

/** Adds the counts, and with a key's first use of an hour drops its counts that no page shows any more. */
async function upsertUses(db: Statements, batch: readonly Uses[]): Promise<void> {
  const rows = await db
    .insert(apiKeyUsage)
    .values([...batch])
    .onConflictDoUpdate({
      target: [apiKeyUsage.keyId, apiKeyUsage.hour],
      set: {
        count: sql`${apiKeyUsage.count} + excluded.count`,
        lastUsedAt: sql`greatest(${apiKeyUsage.lastUsedAt}, excluded.last_used_at)`,
      },
    })
    .returning({ keyId: apiKeyUsage.keyId, hour: apiKeyUsage.hour, isNew: sql<boolean>`xmax = 0` });
  const startedHours = rows.filter((row) => row.isNew);
  const [latest] = startedHours.map((row) => row.hour.getTime()).toSorted((a, b) => b - a);
  if (latest === undefined) return;
  const keyIds = startedHours.map((row) => row.keyId);
  await db
    .delete(apiKeyUsage)
    .where(and(inArray(apiKeyUsage.keyId, keyIds), lt(apiKeyUsage.hour, new Date(latest - keptMilliseconds))));
}
