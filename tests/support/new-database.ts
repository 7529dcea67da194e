import pg from "pg";

import { migrateDatabase } from "@/server/platform/migrate";

/** A new database with all migrations, beside the one that `url` names, for what must not meet the rows of others. */
export async function newDatabase(url: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`create database ${name}`);
  } finally {
    await client.end();
  }
  const created = new URL(`/${name}`, url);
  created.search = new URL(url).search;
  await migrateDatabase(created.href);
  return created.href;
}
