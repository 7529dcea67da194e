import { readFile } from "node:fs/promises";
import path from "node:path";

import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import pg from "pg";

import type { Statements } from "./database";
import { journal, moveEarlierTables } from "./move-earlier-tables";

const migrationsFolder = path.join(import.meta.dirname, "migrations");

/**
 * Applies the pending migrations of `server/platform/migrations`, after it has moved the tables of an earlier version to where they
 * belong. Safe to run at once from several places: an advisory lock orders them.
 */
export async function migrateDatabase(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: "latchkey-migrate" });
  // A lost connection rejects the statement that runs. Without a listener it would also end the process, and nothing were cleaned up.
  client.on("error", () => undefined);
  await client.connect();
  try {
    await client.query("SELECT pg_advisory_lock(hashtext('latchkey migrations'))");
    const db = drizzle(client);
    await moveEarlierTables(db);
    await migrate(db, { ...journal, migrationsFolder });
  } finally {
    await client.end();
  }
}

/**
 * Compares the database with the migrations of this version. It changes nothing.
 * @returns null: the database has no tables of ours. Else how many migrations are not applied, and how many are that this version does not know.
 * @throws what the database throws.
 */
export async function readMigrationState(db: Statements): Promise<{ missing: number; newer: number } | null> {
  const table = sql`${sql.identifier(journal.migrationsSchema)}.${sql.identifier(journal.migrationsTable)}`;
  const name = `${journal.migrationsSchema}.${journal.migrationsTable}`;
  const { rows: found } = await db.execute(sql`select from pg_class where oid = to_regclass(${name})`);
  if (found.length === 0) return null;
  const { rows } = await db.execute<{ created_at: string }>(sql`select created_at from ${table}`);
  if (rows.length === 0) return null;
  const applied = new Set(rows.map((row) => Number(row.created_at)));
  const { entries } = JSON.parse(await readFile(path.join(migrationsFolder, "meta/_journal.json"), "utf8")) as {
    entries: { when: number }[];
  };
  const known = new Set(entries.map(({ when }) => when));
  return {
    missing: [...known].filter((when) => !applied.has(when)).length,
    newer: [...applied].filter((when) => !known.has(when)).length,
  };
}
