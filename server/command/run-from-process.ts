import { createRequire } from "node:module";
import { join } from "node:path";

import nextEnv from "@next/env";

import type { CommandIo, ExitCode } from "./command-io";
import { runCommand } from "./run-command";

/**
 * Runs the command that this process was started with, and resolves with its exit code. The settings are read as the app reads them, by Next's
 * own rules: the environment first, then the .env files of its mode, of the folder in which this is called.
 * @param known what a caller knows of the app, see `CommandIo`.
 */
export function runFromProcess(known: Pick<CommandIo, "scopes"> = {}): Promise<ExitCode> {
  const complaints = { info: () => undefined, error: (text: string) => process.stderr.write(`${text}\n`) };
  nextEnv.loadEnvConfig(process.cwd(), process.env.NODE_ENV !== "production", complaints);
  // When whoever reads the output is gone, writing to it fails. What was begun in the database is ended all the same.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  const { env: environment, stdin: input, stdout: output, stderr: errors } = process;
  const hasClerk = isInstalled("@clerk/nextjs");
  return runCommand(process.argv.slice(2), { environment, input, output, errors, hasClerk, ...known });
}

/** Whether the app in this folder can import a package. */
function isInstalled(name: string): boolean {
  try {
    createRequire(join(process.cwd(), "package.json")).resolve(name);
    return true;
  } catch {
    return false;
  }
}
