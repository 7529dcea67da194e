import { Command, CommanderError } from "commander";

import { CommitOutcomeUnknownError } from "../platform/database";
import { describeFault } from "../platform/logger";
import { trimSettings } from "../settings/env";
import { parseAcceptFormats } from "../settings/accept-formats";
import { type AddCommand, CommandError, type CommandIo, type ExitCode } from "./command-io";
import { addDoctor } from "./doctor";
import { addExport } from "./export";
import { addFind } from "./find";
import { addImport } from "./import";
import { isTimeout } from "./is-timeout";
import { addMigrate } from "./migrate";
import { addRevoke } from "./revoke";
import { isSpoiltArgument } from "./spoilt-argument";

const commands: readonly AddCommand[] = [addDoctor, addFind, addRevoke, addMigrate, addImport, addExport];

/**
 * Runs one command of `latchkey`.
 * @param args what follows the command's name on the command line.
 * @returns the exit code. It never throws.
 * @example
 * const code = await runCommand(["migrate"], { environment: process.env, input: stdin, output: stdout, errors: stderr });
 */
export async function runCommand(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  if (args.some((argument) => isSpoiltArgument(argument, acceptedShapes(io)))) {
    io.errors.write(
      "An argument holds a key or a hash. The shell's history and the list of processes have it now: revoke that key.\n" +
        "Secrets and hashes go in by standard input or in a file.\n",
    );
    return 2;
  }
  let code: ExitCode = 0;
  const program = createProgram(io, (end) => (code = end));
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (fault) {
    if (fault instanceof CommanderError) return endOfWrongUse(fault, io);
    io.errors.write(`${describe(fault)}\n`);
    return 1;
  }
}

function createProgram(io: CommandIo, end: (code: ExitCode) => void): Command {
  const program = new Command("latchkey")
    .description("Latchkey's commands for operators. Settings are read from the environment and from .env files.")
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureOutput({
      writeOut: (text) => io.output.write(text),
      writeErr: (text) => io.errors.write(text),
      // Its sentences repeat what was typed.
      outputError: () => undefined,
    });
  for (const add of commands) add(program, io, end);
  return program;
}

function endOfWrongUse({ code, exitCode, message }: CommanderError, io: CommandIo): ExitCode {
  // Help that was asked for.
  if (exitCode === 0) return 0;
  const sentences: Record<string, string> = {
    "commander.unknownCommand": "There is no such command.",
    "commander.unknownOption": "There is no such option.",
    "commander.excessArguments": "There are too many arguments.",
    // These name what is missing, as the help does.
    "commander.missingArgument": message,
    "commander.optionMissingArgument": message,
    // The help itself was written: there was no command.
    "commander.help": "",
  };
  const sentence = sentences[code] ?? "These arguments are not understood.";
  if (sentence !== "") io.errors.write(`${sentence} See latchkey --help.\n`);
  return 2;
}

/** For the check of the arguments alone. A malformed setting is told by the command that needs it. */
function acceptedShapes({ environment }: CommandIo) {
  const shapes = parseAcceptFormats(trimSettings(environment).API_KEY_ACCEPT_FORMATS ?? "");
  return Array.isArray(shapes) ? shapes : [];
}

/** Settings and refusals say themselves what is wrong. The message of any other error may hold a statement's values, so a hash. */
function describe(fault: unknown): string {
  if (fault instanceof CommandError) return fault.message;
  const { name, code, cause } = describeFault(fault);
  const all = [name, code, cause].filter(Boolean).join(", ");
  // Postgres' codes for a schema and a table that are not there.
  if (/\b(?:3F000|42P01)\b/.test(all)) return "The database has no tables of Latchkey. Run `latchkey migrate` first.";
  if (fault instanceof CommitOutcomeUnknownError)
    return "Postgres did not say whether it has stored the last change. Run the command again: it changes nothing twice.";
  const isUnreachable = /ECONN|ENOTFOUND|EAI_AGAIN/.test(all) || isTimeout(fault);
  return `${isUnreachable ? "DATABASE_URL leads to no Postgres that answers" : "It failed"}: ${all}.`;
}
