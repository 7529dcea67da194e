import { migrateDatabase } from "./migrate";

// `npm run db:migrate`: needs the database's address alone, so that a deploy step has no use for the other settings.
const databaseUrl = process.env.DATABASE_URL;
if (!databaseUrl) throw new Error("DATABASE_URL is not set: it names the Postgres to migrate.");
await migrateDatabase(databaseUrl);
