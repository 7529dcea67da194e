import { sql } from "drizzle-orm";

import type { Database, Statements } from "../db/client";
import { apiKeyUsage } from "../db/schema";
import { describeFault, type Logger } from "../logger";

/** A key's uses reach the database at most once in this time from one process. */
const flushMilliseconds = 60_000;

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
    const batch = [...pending.values()];
    pending.clear();
    if (batch.length === 0) return;
    try {
      await writeUses(db, batch);
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
      if (at.getTime() - lastFlush >= flushMilliseconds) {
        lastFlush = at.getTime();
        return flush;
      }
      // A long-lived server writes without waiting for another request; where the process freezes, the next request does.
      timer ??= setTimeout(() => void flush(), lastFlush + flushMilliseconds - at.getTime()).unref();
      return null;
    },
  };
}

async function writeUses(db: Statements, batch: readonly Uses[]): Promise<void> {
  await db
    .insert(apiKeyUsage)
    .values([...batch].sort((a, b) => a.keyId.localeCompare(b.keyId) || a.hour.getTime() - b.hour.getTime()))
    .onConflictDoUpdate({
      target: [apiKeyUsage.keyId, apiKeyUsage.hour],
      set: {
        count: sql`${apiKeyUsage.count} + excluded.count`,
        lastUsedAt: sql`greatest(${apiKeyUsage.lastUsedAt}, excluded.last_used_at)`,
      },
    });
}
