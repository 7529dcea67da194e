import { readFileSync, writeFileSync } from "node:fs";

import { releaseChangelog } from "./changelog";

// `npm version` runs it twice: before the tests with --check, which changes nothing, and when the new version is written.
const file = "CHANGELOG.md";
const version = process.env.npm_new_version;

try {
  if (!version) throw new Error("`npm run release -- patch` (or minor, major) knows the new version; run that.");
  const today = new Date().toISOString().slice(0, 10);
  const changelog = releaseChangelog(readFileSync(file, "utf8"), version, today);
  if (!process.argv.includes("--check")) writeFileSync(file, changelog);
} catch (error) {
  console.error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
