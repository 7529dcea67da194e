import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "postgresql",
  schema: "./server/platform/schema.ts",
  out: "./server/platform/migrations",
  // The database may be a host's: nothing else in it is ours.
  schemaFilter: ["latchkey"],
  migrations: { schema: "latchkey", table: "migrations" },
});
