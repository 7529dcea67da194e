import path from "node:path";

import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import pg from "pg";

/** Applies the pending migrations of `server/platform/migrations`. Safe to run at once from several places: an advisory lock orders them. */
export async function migrateDatabase(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: "latchkey-migrate" });
  await client.connect();
  try {
    await client.query("SELECT pg_advisory_lock(hashtext('latchkey migrations'))");
    await migrate(drizzle(client), { migrationsFolder: path.join(import.meta.dirname, "migrations") });
  } finally {
    await client.end();
  }
}
