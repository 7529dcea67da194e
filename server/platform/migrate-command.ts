import { isConnectionString } from "../settings/connection-string";
import { migrateDatabase } from "./migrate";

// `npm run db:migrate` needs only the database's address, so a deploy step can do without the other settings.
const databaseUrl = process.env.DATABASE_URL?.trim();
if (!databaseUrl) throw new Error("DATABASE_URL is not set: it names the Postgres to migrate.");
if (!isConnectionString(databaseUrl)) throw new Error("DATABASE_URL is malformed: the driver pg cannot connect by it.");
await migrateDatabase(databaseUrl);
