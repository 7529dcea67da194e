import path from "node:path";

import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import pg from "pg";

import { journal, moveEarlierTables } from "./move-earlier-tables";

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
    await migrate(db, { ...journal, migrationsFolder: path.join(import.meta.dirname, "migrations") });
  } finally {
    await client.end();
  }
}
