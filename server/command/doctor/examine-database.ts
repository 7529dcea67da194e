import { sql } from "drizzle-orm";

import { type EventBacklog, readEventBacklog } from "../../events";
import { type Backlog, readBacklog } from "../../outbox/queue";
import { createDatabase, type Database } from "../../platform/database";
import { readMigrationState } from "../../platform/migrate";
import { parseDatabaseUrl } from "../../settings/env";
import type { CommandIo } from "../command-io";
import { type Check, type ClockReading, readClockOf, reasonOf, requestMilliseconds, withinLimit } from "./check";

interface Examined {
  state: Check[];
  backlogs: Check[];
  clock: ClockReading | null;
}

/** What one statement tells of the server. */
interface ServerState extends Record<string, unknown> {
  in_recovery: boolean;
  read_only: string;
  synchronous_commit: string;
  milliseconds: string;
}

/** Asks Postgres what a revocation needs of it, and what waits there. It changes nothing. */
export async function examineDatabase(
  { environment }: Pick<CommandIo, "environment">,
  now: () => number,
): Promise<Examined> {
  const url = readDatabaseUrl(environment);
  if (url === null) return unexamined("Not asked: DATABASE_URL is missing or malformed, see the settings above.");
  const db = createDatabase(url, { maxConnections: 4, attemptMilliseconds: requestMilliseconds });
  try {
    return await examine(db, now);
  } finally {
    // A connection that hangs is cut off. Nobody waits for it.
    void db.close().catch(() => undefined);
  }
}

function readDatabaseUrl(environment: CommandIo["environment"]): string | null {
  try {
    return parseDatabaseUrl(environment);
  } catch {
    return null;
  }
}

async function examine(db: Database, now: () => number): Promise<Examined> {
  const [server, migrations, purges, events] = await Promise.allSettled([
    withinLimit(
      readClockOf(
        now,
        () => readServer(db),
        ({ milliseconds }) => Number(milliseconds),
      ),
    ),
    withinLimit(readMigrationState(db)),
    withinLimit(readBacklog(db)),
    withinLimit(readEventBacklog(db)),
  ]);
  if (server.status === "rejected") {
    const examined = unexamined("Not asked: Postgres does not answer.");
    return { ...examined, state: [databaseCheck(server.reason), ...examined.state.slice(1)] };
  }
  const { answer, clock } = server.value;
  const hasTables = migrations.status !== "fulfilled" || migrations.value !== null;
  return {
    state: [databaseCheck(null), migrationsCheck(migrations), primaryCheck(answer), commitCheck(answer)],
    backlogs: [purgesCheck(purges, hasTables), eventsCheck(events, hasTables)],
    clock,
  };
}

const namesOfState = ["database", "migrations", "primary", "synchronous_commit"] as const;
const namesOfBacklogs = ["purges", "events"] as const;

function unexamined(sentence: string): Examined {
  const failed = (name: string): Check => ({ name, ok: false, sentence });
  return { state: namesOfState.map(failed), backlogs: namesOfBacklogs.map(failed), clock: null };
}

async function readServer(db: Database): Promise<ServerState> {
  const { rows } = await db.execute<ServerState>(sql`
    select pg_is_in_recovery() as in_recovery, current_setting('transaction_read_only') as read_only,
      current_setting('synchronous_commit') as synchronous_commit, extract(epoch from clock_timestamp()) * 1000 as milliseconds`);
  const [row] = rows;
  if (!row) throw new Error("the database told nothing");
  return row;
}

function databaseCheck(fault: unknown): Check {
  if (fault === null) return { name: "database", ok: true, sentence: "Postgres answers." };
  return {
    name: "database",
    ok: false,
    sentence: `Postgres does not answer (${reasonOf(fault)}). No key can be made or revoked, and a key without a cached copy is answered 503. Look at DATABASE_URL, and whether the server runs and has connections left.`,
  };
}

function migrationsCheck(result: PromiseSettledResult<{ missing: number; newer: number } | null>): Check {
  const name = "migrations";
  if (result.status === "rejected") return notRead(name, result.reason);
  if (result.value === null)
    return {
      name,
      ok: false,
      sentence:
        "The database has no tables of Latchkey, so there are no keys. If DATABASE_URL is the right one, run `latchkey migrate`.",
    };
  const { missing, newer } = result.value;
  if (missing > 0)
    return {
      name,
      ok: false,
      sentence: `Migrations that are not applied: ${missing}. The tables are older than this version, whose statements can fail. Run \`latchkey migrate\`.`,
    };
  if (newer > 0) return { name, ok: true, sentence: `All are applied. Of a newer version: ${newer}.` };
  return { name, ok: true, sentence: "All are applied." };
}

function primaryCheck({ in_recovery: isReplica, read_only: readOnly }: ServerState): Check {
  const name = "primary";
  const todo =
    "Verifications must not read old rows, and nothing can be revoked here. Point DATABASE_URL at the primary.";
  if (isReplica) return { name, ok: false, sentence: `This Postgres is a replica. ${todo}` };
  if (readOnly !== "off") return { name, ok: false, sentence: `This Postgres takes no changes (read only). ${todo}` };
  return { name, ok: true, sentence: "This Postgres is the primary, and takes changes." };
}

function commitCheck({ synchronous_commit: setting }: ServerState): Check {
  const name = "synchronous_commit";
  if (setting === "off")
    return {
      name,
      ok: false,
      sentence:
        "synchronous_commit is off: a crash of Postgres can lose a revocation that was answered as effective, and the key works again. Set it to on, for the server, the database and the role.",
    };
  return { name, ok: true, sentence: `It is ${setting}: a committed revocation survives a crash of Postgres.` };
}

const mostPurgeSeconds = 60;

function purgesCheck(result: PromiseSettledResult<Backlog>, hasTables: boolean): Check {
  const name = "purges";
  if (!hasTables) return { name, ok: false, sentence: "Not asked: there are no tables." };
  if (result.status === "rejected") return notRead(name, result.reason);
  const { count, oldestSeconds } = result.value;
  if (oldestSeconds === null) return { name, ok: true, sentence: "No purge waits." };
  const waits = `Purges that wait: ${count}, the oldest for ${Math.round(oldestSeconds)} s`;
  if (oldestSeconds <= mostPurgeSeconds) return { name, ok: true, sentence: `${waits}.` };
  return {
    name,
    ok: false,
    sentence: `${waits}. Their revocations hold at the time that each receipt names, but none is confirmed. Redis takes no purges, or nothing drains: look at the check of Redis, and whether a server runs or GET /api/cron/purge is called.`,
  };
}

const mostEventSeconds = 600;

function eventsCheck(result: PromiseSettledResult<EventBacklog>, hasTables: boolean): Check {
  const name = "events";
  if (!hasTables) return { name, ok: false, sentence: "Not asked: there are no tables." };
  if (result.status === "rejected") return notRead(name, result.reason);
  const { waiting, oldestSeconds } = result.value;
  if (oldestSeconds === null) return { name, ok: true, sentence: "No event waits to be sent." };
  const waits = `Events that wait to be sent: ${waiting}, the oldest for ${Math.round(oldestSeconds / 60)} min`;
  if (oldestSeconds <= mostEventSeconds) return { name, ok: true, sentence: `${waits}.` };
  return {
    name,
    ok: false,
    sentence: `${waits}. Whoever waits for them has not been told. Look at EVENTS_WEBHOOK_URL and its receiver, and whether a server runs or GET /api/cron/purge is called.`,
  };
}

function notRead(name: string, fault: unknown): Check {
  return {
    name,
    ok: false,
    sentence: `It could not be read (${reasonOf(fault)}). Look at the checks of the database above.`,
  };
}
