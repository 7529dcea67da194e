import { and, lt, sql } from "drizzle-orm";

import type { Database, Statements } from "../platform/database";
import { apiKeySecretUses, apiKeyUsage } from "../platform/schema";
import { describeFault, type Logger } from "../platform/logger";

/** One process writes its uses to the database about once in this time. */
const flushMilliseconds = 60_000;

const rowsAtOnce = 1_000;
const hourMilliseconds = 3_600_000;
const keptMilliseconds = 31 * 24 * hourMilliseconds;

export interface UsageRecorder {
  /**
   * Counts accepted verifications, without I/O.
   * @param hex the hash of the secret, in hexadecimal.
   * @param at in milliseconds since 1970, the last of them.
   * @param count how many, by default one. All were in the hour of `at`.
   * @returns when it is time to write, the task that writes: run it after the answer. Else null.
   */
  record(keyId: string, hex: string, at: number, count?: number): (() => Promise<void>) | null;
  /** Writes what has been counted so far. A failed write is kept for the next one. */
  flush(): Promise<void>;
}

type Uses = typeof apiKeyUsage.$inferInsert;

/** Plain numbers, since every hit passes here and must be cheap. */
interface Counted {
  count: number;
  lastUsedAt: number;
}

/** Counts uses in the process and writes them in batches. A crash loses about the last minute, and what could not be written before. */
export function createUsageRecorder(options: { db: Database; logger: Logger; now: () => Date }): UsageRecorder {
  const { db, logger, now } = options;
  /** By the beginning of the hour, then by key. */
  const pending = new Map<number, Map<string, Counted>>();
  /** By hash in hexadecimal, when the secret was last used. */
  const pendingSecrets = new Map<string, number>();
  let lastFlush = 0;
  let timer: NodeJS.Timeout | undefined;

  async function flush() {
    clearTimeout(timer);
    timer = undefined;
    lastFlush = now().getTime();
    await writeSecrets();
    const uses = takePending();
    for (let first = 0; first < uses.length; first += rowsAtOnce) await write(uses.slice(first, first + rowsAtOnce));
  }

  /** Always in the same order, so that two processes that write the same keys never wait for each other in a circle. */
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

  /** In one order, as above. */
  async function writeSecrets() {
    const uses = [...pendingSecrets].sort(([a], [b]) => a.localeCompare(b));
    pendingSecrets.clear();
    for (let first = 0; first < uses.length; first += rowsAtOnce) {
      const batch = uses.slice(first, first + rowsAtOnce);
      try {
        await upsertSecretUses(db, batch);
      } catch (fault) {
        for (const [hex, at] of batch) noteSecret(hex, at);
        logger.warn(
          { fault: describeFault(fault), secrets: batch.length },
          "last uses not written; kept for the next flush",
        );
      }
    }
  }

  function noteSecret(hex: string, at: number) {
    pendingSecrets.set(hex, Math.max(pendingSecrets.get(hex) ?? 0, at));
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
    record(keyId, hex, at, count = 1) {
      noteSecret(hex, at);
      add(at - (at % hourMilliseconds), keyId, count, at);
      // Not `at`: uses that another verifier reports are older.
      const present = now().getTime();
      const sinceFlush = present - lastFlush;
      // Negative when the clock was set back.
      if (sinceFlush >= flushMilliseconds || sinceFlush < 0) {
        lastFlush = present;
        return flush;
      }
      // On a long-lived server this timer writes. A function that freezes writes at a later request.
      timer ??= setTimeout(() => void flush(), flushMilliseconds - sinceFlush).unref();
      return null;
    },
  };
}

/**
 * Each column of a batch travels as one array, and `unnest` keeps its order. With a parameter for each value, the statements of 1,000 keys kept
 * the process busy for 31 ms in place of 8, and verifications wait meanwhile.
 */
async function upsertSecretUses(db: Statements, batch: readonly (readonly [string, number])[]): Promise<void> {
  const hashes = batch.map(([hex]) => Buffer.from(hex, "hex"));
  const times = batch.map(([, at]) => new Date(at));
  await db
    .insert(apiKeySecretUses)
    .select(sql`select * from unnest(${sql.param(hashes)}::bytea[], ${sql.param(times)}::timestamptz[])`)
    .onConflictDoUpdate({
      target: apiKeySecretUses.hash,
      set: { lastUsedAt: sql`greatest(${apiKeySecretUses.lastUsedAt}, excluded.last_used_at)` },
    });
}

/** Adds the counts. The first use of a key in an hour also deletes that key's counts that are too old for the page. */
async function upsertUses(db: Statements, batch: readonly Uses[]): Promise<void> {
  const column = (name: keyof Uses) => sql.param(batch.map((uses) => uses[name]));
  const rows = await db
    .insert(apiKeyUsage)
    .select(
      sql`select * from unnest(${column("keyId")}::uuid[], ${column("hour")}::timestamptz[], ${column("count")}::bigint[],
        ${column("lastUsedAt")}::timestamptz[])`,
    )
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
  const keyIds = sql.param(startedHours.map((row) => row.keyId));
  const isOld = lt(apiKeyUsage.hour, new Date(latest - keptMilliseconds));
  await db.delete(apiKeyUsage).where(and(sql`${apiKeyUsage.keyId} = any(${keyIds}::uuid[])`, isOld));
}
