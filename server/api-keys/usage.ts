import { and, inArray, lt, sql } from "drizzle-orm";

import type { Database, Statements } from "../db/client";
import { apiKeyUsage } from "../db/schema";
import { describeFault, type Logger } from "../logger";

/** A key's uses reach the database at most once in this time from one process. */
const flushMilliseconds = 60_000;

const rowsAtOnce = 1_000;
const keptMilliseconds = 31 * 24 * 3_600_000;

export interface UsageRecorder {
  /** Counts one accepted verification. No I/O; returns a task to defer when it is time to write, else null. */
  record(keyId: string): (() => Promise<void>) | null;
  /** Writes what has been counted so far. A failed write is kept for the next one. */
  flush(): Promise<void>;
}

interface Uses {
  keyId: string;
  hour: Date;
  count: number;
  lastUsedAt: Date;
}

/** Counts uses in the process and writes them in batches; a crash loses at most the last minute. */
export function createUsageRecorder(options: { db: Database; logger: Logger; now: () => Date }): UsageRecorder {
  const { db, logger, now } = options;
  const pending = new Map<string, Uses>();
  let lastFlush = 0;
  let timer: NodeJS.Timeout | undefined;

  async function flush() {
    clearTimeout(timer);
    timer = undefined;
    lastFlush = now().getTime();
    // In one order everywhere, so that two processes that write the same keys do not wait for each other.
    const uses = [...pending.values()].sort(
      (a, b) => a.keyId.localeCompare(b.keyId) || a.hour.getTime() - b.hour.getTime(),
    );
    pending.clear();
    for (let first = 0; first < uses.length; first += rowsAtOnce) await write(uses.slice(first, first + rowsAtOnce));
  }

  async function write(batch: readonly Uses[]) {
    try {
      await upsertUses(db, batch);
    } catch (fault) {
      for (const uses of batch) add(uses);
      logger.warn({ fault: describeFault(fault), keys: batch.length }, "usage not written; kept for the next flush");
    }
  }

  function add(uses: Uses) {
    const entry = `${uses.keyId} ${uses.hour.getTime()}`;
    const known = pending.get(entry);
    if (!known) pending.set(entry, uses);
    else {
      known.count += uses.count;
      if (uses.lastUsedAt > known.lastUsedAt) known.lastUsedAt = uses.lastUsedAt;
    }
  }

  return {
    flush,
    record(keyId) {
      const at = now();
      add({ keyId, hour: new Date(at.getTime() - (at.getTime() % 3_600_000)), count: 1, lastUsedAt: at });
      const sinceFlush = at.getTime() - lastFlush;
      // Negative: the clock was set back.
      if (sinceFlush >= flushMilliseconds || sinceFlush < 0) {
        lastFlush = at.getTime();
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
