import { sql } from "drizzle-orm";
import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import pg from "pg";

import { DomainError, hasName } from "../shared/errors";
import * as schema from "./schema";

/** One attempt against Postgres may take this long, connecting included. */
const attemptMilliseconds = 2_000;

/**
 * With limits for the server too, so that a client that hangs or dies does not keep its locks. In one message with BEGIN: no extra
 * round trip, and poolers in transaction mode accept it, unlike the same settings at the start of a connection.
 */
const begin = `BEGIN; SET LOCAL statement_timeout = ${attemptMilliseconds}; SET LOCAL idle_in_transaction_session_timeout = ${2 * attemptMilliseconds}`;

/** What runs statements: the pool, or one connection inside a transaction. */
export type Statements = NodePgDatabase<typeof schema>;

export interface Database extends Statements {
  /**
   * Runs `work` in one READ COMMITTED transaction.
   * @returns the work's result, and the database's clock read after the commit: no earlier than the moment others can see it.
   * @throws CommitOutcomeUnknownError when the connection failed while committing; every other error means: not committed.
   */
  commit<T>(work: (transaction: Statements) => Promise<T>): Promise<{ result: T; committedAt: Date }>;
  close(): Promise<void>;
}

/** The connection died after COMMIT was sent: the transaction may or may not have been committed. */
export class CommitOutcomeUnknownError extends Error {
  override name = "CommitOutcomeUnknownError";
  static override [Symbol.hasInstance] = hasName("CommitOutcomeUnknownError");
}

/** The newest primary's connection pool. `url` must lead to a primary: verification must not read from a replica. */
export function createDatabase(url: string, options: { maxConnections?: number } = {}): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: attemptMilliseconds,
    query_timeout: attemptMilliseconds,
    application_name: "latchkey",
  });
  // A connection that breaks while no statement runs would otherwise end the process: in the pool, or as it is handed out, before its
  // user can listen. The next statement gets a new one, or fails.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  const statements = drizzle(pool, { schema });
  return Object.assign(statements, {
    commit: <T>(work: (transaction: Statements) => Promise<T>) => commit(pool, work),
    close: () => pool.end(),
  });
}

/** The database's clock, the one that all effects are told in. */
export async function readClock(db: Statements): Promise<Date> {
  const { rows } = await db.execute<{ now: string }>(sql`select clock_timestamp() as now`);
  const [row] = rows;
  if (!row) throw new Error("the database did not tell the time");
  return new Date(row.now);
}

async function commit<T>(pool: pg.Pool, work: (transaction: Statements) => Promise<T>) {
  const client = await pool.connect();
  let broken: Error | undefined;
  const noteError = (error: Error) => (broken = error);
  client.on("error", noteError);
  try {
    await client.query(begin);
    const result = await work(drizzle(client, { schema }));
    const committedAt = await sendCommit(client);
    return { result, committedAt };
  } catch (error) {
    // After a timeout or a lost connection the session's state is unknown: only what it answered itself lets it be kept.
    if (error instanceof DomainError || isDatabaseAnswer(error)) await client.query("ROLLBACK").catch(noteError);
    else broken = error instanceof Error ? error : new Error("transaction failed");
    throw error;
  } finally {
    client.off("error", noteError);
    client.release(broken);
  }
}

async function sendCommit(client: pg.PoolClient): Promise<Date> {
  // Both in one message: the clock is read in a transaction of its own, after the commit, without another round trip.
  const sent = client.query("COMMIT; SELECT clock_timestamp() AS committed_at");
  const results: unknown = await sent.catch((cause: unknown) => {
    throw new CommitOutcomeUnknownError("commit not confirmed", { cause });
  });
  const [ended, clock] = results as [pg.QueryResult, pg.QueryResult<{ committed_at: Date }>];
  const row = clock.rows[0];
  if (ended.command !== "COMMIT" || !row) throw new Error(`the transaction ended with ${ended.command}`);
  return row.committed_at;
}

/** Whether the database itself refused a statement, in a session that goes on (57P: it is being ended; 08: it is lost). */
function isDatabaseAnswer(error: unknown): boolean {
  const origin = error instanceof Error && error.cause ? error.cause : error;
  return origin instanceof pg.DatabaseError && !/^(57P|08)/.test(origin.code ?? "");
}

/** SQLSTATE classes in which the database refuses for reasons of its own: lost or ended sessions, time limits, deadlocks, no room. */
const outageStates = /^(08|25P03|40|53|55|57|58)/;

/** Whether an error says that the database could not be reached or did not do it in time, as opposed to: the statement is wrong. */
export function isDatabaseOutage(error: unknown): boolean {
  if (error instanceof CommitOutcomeUnknownError) return true;
  if (!(error instanceof Error)) return false;
  const origin = error.cause instanceof Error ? error.cause : error;
  if (origin instanceof pg.DatabaseError) return outageStates.test(origin.code ?? "");
  // Drizzle's own error by its fields, for the reason that `hasName` gives.
  return ("query" in error && "params" in error) || isConnectionError(error);
}

function isConnectionError(error: Error): boolean {
  const code = "code" in error ? String(error.code) : "";
  return (
    /^(ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE)/.test(code) || /timeout|Connection terminated/i.test(error.message)
  );
}

/**
 * What a caller is told of a fault: the rule that refused, or an outage, of which nothing was changed or nobody knows. For the edges,
 * which tell it in their own way. @returns null for a fault of our own.
 */
export function toDomainError(fault: unknown): DomainError | null {
  if (fault instanceof DomainError) return fault;
  if (fault instanceof CommitOutcomeUnknownError) return new DomainError("OUTCOME_UNKNOWN", { cause: fault });
  return isDatabaseOutage(fault) ? new DomainError("SERVICE_UNAVAILABLE", { cause: fault }) : null;
}
