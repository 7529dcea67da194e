import { chromium } from "@playwright/test";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";

import { installSystemPackage, mayInstallSystemPackages } from "./system-packages";

/** For a test browser that asks nothing of the network, and that may run as root in a container. */
export const browserFlags = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--no-first-run",
  "--disable-sync",
];

/** The path of a Chromium or Chrome that runs: CHROMIUM_PATH, else one of the system's, else Playwright's; or null. */
export function findBrowser(): string | null {
  const override = process.env.CHROMIUM_PATH;
  if (override) return override;
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  const candidates = [
    ...["chromium", "google-chrome", "google-chrome-stable"].flatMap((name) => folders.map((path) => join(path, name))),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    chromium.executablePath(),
  ];
  return candidates.find(isBrowser) ?? null;
}

/**
 * Finds a browser, or gets one: with apt where root may, else Playwright's own, into its cache.
 * @throws an Error that says what to do
 */
export function ensureBrowser(): string {
  const found = findBrowser();
  if (found) return found;
  if (mayInstallSystemPackages()) installSystemPackage("chromium");
  const installed = findBrowser();
  if (installed) return installed;
  console.log("Downloading Playwright's Chromium into its cache …");
  const playwright = createRequire(import.meta.url).resolve("@playwright/test/cli");
  spawnSync(process.execPath, [playwright, "install", "chromium"], { stdio: ["ignore", "inherit", "inherit"] });
  const downloaded = findBrowser();
  if (downloaded) return downloaded;
  throw new Error("The end-to-end tests need Chromium or Chrome. Install one, or set CHROMIUM_PATH to its program.");
}

/** Starting it tells: Ubuntu's package, for one, installs a program that only says to install something else. */
function isBrowser(path: string): boolean {
  const { status, stdout } = spawnSync(path, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return status === 0 && /chrom/i.test(stdout);
}
