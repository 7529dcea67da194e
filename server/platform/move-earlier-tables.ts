import { sql } from "drizzle-orm";
import type { NodePgDatabase } from "drizzle-orm/node-postgres";

import { latchkey } from "./schema";

/** Where this version writes which migrations were applied. A host's own journal must not make ours be skipped, nor ours the host's. */
export const journal = { migrationsSchema: latchkey.schemaName, migrationsTable: "migrations" };
const ownJournal = sql`${sql.identifier(journal.migrationsSchema)}.${sql.identifier(journal.migrationsTable)}`;

/** The two migrations of version 0.1, by the times in `meta/_journal.json`. 0.1 wrote them into the journal that drizzle shares by default. */
const earlierMigrations = sql`(1795566796386, 1795570815335)`;
/** In the order in which the transactions of 0.1 lock them. */
const earlierTables = ["owners", "api_keys", "cache_purges", "api_key_usage"].map(
  (name) => sql`public.${sql.identifier(name)}`,
);

/**
 * Moves the tables of a deployment of version 0.1 from the schema `public` into ours. Changes nothing in any other database, nor when
 * it is called again. One transaction: whoever dies on the way leaves everything as it was.
 *
 * Processes of 0.1 that still run then get an error for every statement that reads, changes or purges a key. That is wanted: none of
 * them may cache a key that this version revokes, or confirm a purge of another slot than this version reads. So there are no views under
 * the old names. Moving the tables is not enough for it: where the database's role is called `latchkey` too, Postgres finds them by their
 * bare names. So the migration that follows also renames a column that all these statements name.
 *
 * Its caller holds the lock of the migrations.
 */
export async function moveEarlierTables(db: NodePgDatabase): Promise<void> {
  await db.transaction(async (transaction) => {
    if (!(await hasEarlierTables(transaction))) return;
    await transaction.execute(sql`create schema if not exists ${latchkey}`);
    for (const table of earlierTables) await transaction.execute(sql`alter table ${table} set schema ${latchkey}`);
    // As drizzle makes it, which finds it there afterwards.
    await transaction.execute(
      sql`create table ${ownJournal} (id serial primary key, hash text not null, created_at bigint)`,
    );
    // Copied, not moved. As long as they stand there, the migrations of 0.1 do not make a second set of empty tables, in which no key
    // would be known, when somebody starts 0.1 again.
    await transaction.execute(sql`
      insert into ${ownJournal} (hash, created_at)
      select hash, created_at from drizzle.__drizzle_migrations where created_at in ${earlierMigrations} order by created_at`);
  });
}

/** A host may have tables of the same names: what counts is that our migrations made them. */
async function hasEarlierTables(db: Pick<NodePgDatabase, "execute">): Promise<boolean> {
  const isPossible = sql`
    select from pg_attribute where attrelid = to_regclass('public.api_keys') and attname = 'request_digest'
      and to_regclass('latchkey.api_keys') is null and to_regclass('drizzle.__drizzle_migrations') is not null`;
  if ((await db.execute(isPossible)).rowCount === 0) return false;
  const ours = sql`select from drizzle.__drizzle_migrations where created_at in ${earlierMigrations}`;
  return (await db.execute(ours)).rowCount !== 0;
}
