import type { Readable, Writable } from "node:stream";

import type { Command } from "commander";

/** What a command has of the process that it runs in. */
export interface CommandIo {
  environment: Record<string, string | undefined>;
  input: Readable;
  /** Results. */
  output: Writable;
  /** Progress, and what went wrong. */
  errors: Writable;
  /** Those of the app, where the caller knows them. Absent: whatever is named is taken. */
  scopes?: readonly string[];
  /** Whether the app has Clerk installed. Absent: it has. Without it, Clerk's settings are none that are missing. */
  hasClerk?: boolean;
  /** For tests: the clock of this process. */
  now?: () => number;
}

/** A command that was refused or has failed, in words for its operator. They repeat no secret, no hash and no line of a file. */
export class CommandError extends Error {
  override name = "CommandError";
}

/** 0: done. 1: refused, or failed. 2: wrong use. */
export type ExitCode = 0 | 1 | 2;

/** Adds one command to the program. It calls `end` when its exit code is not 0, or throws. */
export type AddCommand = (program: Command, io: CommandIo, end: (code: ExitCode) => void) => void;
