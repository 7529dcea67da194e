import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

import { LongestFirst } from "./tests/support/longest-first";
import tsconfig from "./tsconfig.json" with { type: "json" };

// `npm test` sets these where a program is missing and may not be installed, and lists at its end what was left out.
const leftOut = [
  process.env.LATCHKEY_NO_REDIS_SERVER ? "**/*redis-server.test.ts" : null,
  process.env.LATCHKEY_NO_NGINX ? "**/*nginx.test.ts" : null,
].filter((pattern) => pattern !== null);

/** The names of tsconfig's `paths`: `@` is this folder, and `latchkey/…` are the sources of the package's entry points. */
function aliases() {
  return Object.entries(tsconfig.compilerOptions.paths).map(([name, [target = ""]]) => ({
    find: new RegExp(`^${name.replace("*", "(.*)")}$`),
    replacement: join(import.meta.dirname, target.replace("*", "$1")),
  }));
}

// Vitest takes one worker less than there are cores. Many of these tests wait, so on two cores two take 508 s where one took 939. With three, tests
// missed the time budgets of Redis.
const integrationWorkers = Math.max(2, availableParallelism() - 1);

export default defineConfig({
  resolve: { alias: aliases() },
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["tests/unit/**/*.test.ts"] },
      },
      {
        extends: true,
        test: { name: "model", include: ["tests/model/**/*.test.ts"], testTimeout: 300_000 },
      },
      {
        extends: true,
        test: {
          name: "package",
          include: ["tests/package/**/*.test.ts"],
          exclude: leftOut,
          globalSetup: "tests/support/global-setup.ts",
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["tests/{integration,race}/**/*.test.ts"],
          exclude: leftOut,
          globalSetup: "tests/support/global-setup.ts",
          maxWorkers: integrationWorkers,
          // Vitest asks for a group of its own where the number of workers is another one.
          sequence: { groupOrder: 1 },
          // Generous: they bound a hang on a busy machine, and no test may depend on them.
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "adoption",
          include: ["tests/adoption/**/*.test.ts"],
          globalSetup: "tests/adoption/prepare.ts",
          // Each test makes a fresh app, and npm may be slow. They bound a hang, and no test may depend on them.
          testTimeout: 300_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
