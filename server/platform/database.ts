import { sql } from "drizzle-orm";
import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import pg from "pg";

import { DomainError, hasName } from "../shared/errors";
import { withoutValues } from "./logger";

/** The time limit of a connection attempt, and of each statement, where a person or a program waits for the answer. */
const defaultAttemptMilliseconds = 2_000;

/**
 * The server gets time limits too, so that a client that hangs or dies does not keep its locks. They travel with BEGIN and the first statement.
 * That costs no extra round trip, and poolers in transaction mode accept it. They would not accept these settings when a connection starts.
 */
const beginWithin = (milliseconds: number, sendsEvents: boolean) => [
  "BEGIN",
  `SET LOCAL statement_timeout = ${milliseconds}`,
  `SET LOCAL idle_in_transaction_session_timeout = ${2 * milliseconds}`,
  ...(sendsEvents ? ["SET LOCAL latchkey.sends_events = on"] : []),
];

/** Runs statements: on the pool, or on one connection inside a transaction. */
export interface Statements extends NodePgDatabase {
  /**
   * Whether what is recorded in the history is to be sent. `commit` tells the database by itself. A statement that records outside of a
   * transaction needs `eventsAreSent`.
   */
  sendsEvents?: boolean;
}

/**
 * A column for a statement that runs outside of a transaction and records events. It tells the database, for this statement alone, that they
 * are to be sent. It must be evaluated before they are recorded. The next user of the connection sees nothing of it.
 */
export const eventsAreSent = ({ sendsEvents = false }: Pick<Statements, "sendsEvents">) =>
  sendsEvents ? sql`set_config('latchkey.sends_events', 'on', true)` : sql<unknown>`null`;

export interface Database extends Statements {
  /**
   * Runs `work` in one READ COMMITTED transaction.
   * @returns the work's result, and the database's clock as read after the commit. When it was read, others could see the commit already.
   * @throws CommitOutcomeUnknownError when the connection failed while committing. Any other error means: not committed.
   */
  commit<T>(work: (transaction: Statements) => Promise<T>): Promise<{ result: T; committedAt: Date }>;
  close(): Promise<void>;
}

/** The connection failed after COMMIT was sent. The transaction may or may not have been committed. */
export class CommitOutcomeUnknownError extends Error {
  override name = "CommitOutcomeUnknownError";
  static override [Symbol.hasInstance] = hasName("CommitOutcomeUnknownError");
}

/**
 * Makes a connection pool. It connects at the first statement.
 * @param url must lead to the primary, since verification must not read from a replica.
 * @param options.attemptMilliseconds the time limit of a connection attempt and of each statement; 2 s where it is absent.
 * @param options.sendsEvents whether each event that is recorded gets a row in `event_deliveries`, in the same transaction.
 */
export function createDatabase(
  url: string,
  options: { maxConnections?: number; attemptMilliseconds?: number; sendsEvents?: boolean } = {},
): Database {
  const { attemptMilliseconds = defaultAttemptMilliseconds, sendsEvents = false } = options;
  const begin = beginWithin(attemptMilliseconds, sendsEvents);
  const pool = new pg.Pool({
    connectionString: url,
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: attemptMilliseconds,
    query_timeout: attemptMilliseconds,
    application_name: "latchkey",
  });
  // Without these listeners the process would end when a connection breaks while no statement runs: in the pool, or while it is handed out.
  // The next statement gets a new connection, or fails.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  const statements = drizzle(pool);
  return Object.assign(statements, {
    sendsEvents,
    commit: <T>(work: (transaction: Statements) => Promise<T>) => commit(pool, begin, work),
    close: () => pool.end(),
  });
}

/** Reads the database's clock. All times of effects are of this clock. */
export async function readClock(db: Statements): Promise<Date> {
  const { rows } = await db.execute<{ now: string }>(sql`select clock_timestamp() as now`);
  const [row] = rows;
  if (!row) throw new Error("the database did not tell the time");
  return new Date(row.now);
}

async function commit<T>(pool: pg.Pool, begin: readonly string[], work: (transaction: Statements) => Promise<T>) {
  const client = await pool.connect();
  let broken: Error | undefined;
  const noteError = (error: Error) => (broken = error);
  client.on("error", noteError);
  try {
    const result = await work(drizzle(beginningWith(client, begin)));
    const committedAt = await sendCommit(client);
    return { result, committedAt };
  } catch (error) {
    // After a timeout or a lost connection nobody knows the session's state. It is kept only after an answer of a rule or of the database.
    if (error instanceof DomainError || isDatabaseAnswer(error)) await client.query("ROLLBACK").catch(noteError);
    else broken = error instanceof Error ? error : new Error("transaction failed");
    throw error;
  } finally {
    client.off("error", noteError);
    client.release(broken);
  }
}

/** The client, whose first statement takes `begin` along. */
function beginningWith(client: pg.PoolClient, begin: readonly string[]): pg.PoolClient {
  let hasBegun = false;
  const query = (config: pg.QueryConfig, values: unknown[]) => {
    if (hasBegun) return client.query(config, values);
    hasBegun = true;
    return queryAfter(client, begin, config, values);
  };
  return Object.create(client, { query: { value: query } }) as pg.PoolClient;
}

/**
 * Sends statements without values and, after them, one that may have some, in one message with one end (Sync). Postgres skips the rest after one
 * that fails. So the last one never runs outside of the transaction that the first one begins, as it could if it were a message of its own.
 */
function queryAfter(client: pg.PoolClient, texts: readonly string[], config: pg.QueryConfig, values: unknown[]) {
  return new Promise<pg.QueryResult>((resolve, reject) => {
    // Also without values: a simple query after the others would not be skipped with them.
    const extended = { ...config, queryMode: "extended" };
    const query = new pg.Query(extended, values, (error, results: unknown) => {
      if (error) reject(error);
      else resolve((results as pg.QueryResult[]).at(-1) as pg.QueryResult);
    });
    const { submit } = query;
    query.submit = (connection) => {
      connection.stream.cork();
      for (const text of texts) {
        connection.parse({ name: "", text, types: [] }, true);
        connection.bind({}, true);
        connection.execute({}, true);
      }
      submit.call(query, connection);
      connection.stream.uncork();
    };
    client.query(query);
  });
}

async function sendCommit(client: pg.PoolClient): Promise<Date> {
  // Both travel in one message, so there is no second round trip. The clock is read after the commit, in a transaction of its own.
  const sent = client.query("COMMIT; SELECT clock_timestamp() AS committed_at");
  const results: unknown = await sent.catch((cause: unknown) => {
    throw new CommitOutcomeUnknownError("commit not confirmed", { cause });
  });
  const [ended, clock] = results as [pg.QueryResult, pg.QueryResult<{ committed_at: Date }>];
  const row = clock.rows[0];
  if (ended.command !== "COMMIT" || !row) throw new Error(`the transaction ended with ${ended.command}`);
  return row.committed_at;
}

/** Whether the database itself refused a statement and its session goes on. It does not with 57P (session ended) and 08 (session lost). */
function isDatabaseAnswer(error: unknown): boolean {
  const origin = error instanceof Error && error.cause ? error.cause : error;
  return origin instanceof pg.DatabaseError && !/^(57P|08)/.test(origin.code ?? "");
}

/** SQLSTATE classes in which the statement is not at fault: lost or ended sessions, time limits, deadlocks, no room. */
const outageStates = /^(08|25P03|40|53|55|57|58)/;

/** Whether an error means that the database could not be reached or did not answer in time. False when the statement itself is wrong. */
export function isDatabaseOutage(error: unknown): boolean {
  if (error instanceof CommitOutcomeUnknownError) return true;
  if (!(error instanceof Error)) return false;
  const origin = error.cause instanceof Error ? error.cause : error;
  if (origin instanceof pg.DatabaseError) return outageStates.test(origin.code ?? "");
  // Drizzle's own error is known by its fields. `hasName` says why not by its class.
  return ("query" in error && "params" in error) || isConnectionError(error);
}

function isConnectionError(error: Error): boolean {
  const code = "code" in error ? String(error.code) : "";
  return (
    /^(ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE)/.test(code) || /timeout|Connection terminated/i.test(error.message)
  );
}

/**
 * Translates a fault into what a caller may be told. Verbs let the database's errors pass. The edges (tRPC, the original endpoint) call this
 * and answer in their own way.
 * @returns a rule's refusal as it is; OUTCOME_UNKNOWN for a commit that nobody knows of; SERVICE_UNAVAILABLE for another outage of the
 *   database; null for every other fault, which is a fault of our own.
 * @example
 * const told = toDomainError(fault);
 * if (told?.code === "SERVICE_UNAVAILABLE") console.log("try again");
 */
export function toDomainError(fault: unknown): DomainError | null {
  if (fault instanceof DomainError) return fault;
  if (fault instanceof CommitOutcomeUnknownError)
    return new DomainError("OUTCOME_UNKNOWN", { cause: withoutValues(fault) });
  return isDatabaseOutage(fault) ? new DomainError("SERVICE_UNAVAILABLE", { cause: withoutValues(fault) }) : null;
}
