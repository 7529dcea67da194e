import { CommandError, type CommandIo } from "./command-io";

/** Reads the settings that a command needs. @throws CommandError that names what is missing or malformed. */
export function readSettings<T>({ environment }: CommandIo, parse: (source: CommandIo["environment"]) => T): T {
  try {
    return parse(environment);
  } catch (fault) {
    throw new CommandError(fault instanceof Error ? fault.message : "The settings cannot be read.");
  }
}
