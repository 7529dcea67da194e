import { defineConfig } from "@playwright/test";

import { browserFlags, findBrowser } from "./local/browser";

const executablePath = findBrowser();

export default defineConfig({
  testDir: "tests/e2e",
  globalSetup: "./tests/support/e2e-setup.ts",
  // One machine serves the app, its database and the browsers: more at once only makes each slower.
  workers: 2,
  fullyParallel: true,
  forbidOnly: true,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: "list",
  use: {
    // Set by the global setup, which runs before a worker reads this.
    ...(process.env.BASE_URL && { baseURL: process.env.BASE_URL }),
    viewport: { width: 1280, height: 800 },
    // A trace takes much of the machine. For a test that fails: npx playwright test --trace on <file>
    screenshot: "only-on-failure",
    launchOptions: { args: browserFlags, ...(executablePath && { executablePath }) },
  },
  projects: [{ name: "chromium", use: { browserName: "chromium" } }],
});
