import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { identifyProcess } from "./process-identity";

interface ServicesFile {
  pid: number;
  startedAt: string | undefined;
  environment: Record<string, string>;
}

const pathIn = (directory: string) => join(directory, "services.json");

/**
 * Writes where this process's local services are, for the commands that run beside it. Only the user may read it, since the addresses hold
 * passwords.
 * @returns a function that removes it.
 */
export async function writeServices(
  directory: string,
  environment: Record<string, string>,
): Promise<() => Promise<void>> {
  const path = pathIn(directory);
  const file: ServicesFile = { pid: process.pid, startedAt: startOf(process.pid), environment };
  // A file that is there keeps its mode, so one that a killed process has left goes first.
  await rm(path, { force: true });
  await writeFile(path, JSON.stringify(file), { flag: "wx", mode: 0o600 });
  return () => rm(path, { force: true });
}

/** The settings of the local services that run now. Empty when none do: a killed process leaves its file behind. */
export async function readServices(directory: string): Promise<Record<string, string>> {
  try {
    const { pid, startedAt, environment } = JSON.parse(await readFile(pathIn(directory), "utf8")) as ServicesFile;
    return startedAt !== undefined && startOf(pid) === startedAt ? environment : {};
  } catch {
    return {};
  }
}

const startOf = (pid: number) => identifyProcess(pid)?.startedAt;
