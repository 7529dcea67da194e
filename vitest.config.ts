import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { "@": import.meta.dirname } },
  test: {
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["tests/unit/**/*.test.ts"] },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["tests/{integration,race}/**/*.test.ts"],
          globalSetup: "tests/support/global-setup.ts",
          // Generous: they bound a hang on a busy machine, and no test may depend on them.
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
