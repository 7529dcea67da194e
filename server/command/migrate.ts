import { migrateDatabase } from "../platform/migrate";
import { parseDatabaseUrl } from "../settings/env";
import type { AddCommand } from "./command-io";
import { readSettings } from "./read-settings";

/** `migrate`: applies the pending migrations. It needs DATABASE_URL alone, so a deploy step can do without the other settings. */
export const addMigrate: AddCommand = (program, io) => {
  program
    .command("migrate")
    .description("make or change Latchkey's tables in DATABASE_URL")
    .action(async () => {
      await migrateDatabase(readSettings(io, parseDatabaseUrl));
      io.errors.write("The tables are up to date.\n");
    });
};
