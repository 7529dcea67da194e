import { ErrorReply, Status, toLine, type Backend, type Command, type Reply } from "../reply";
import { hashCommands } from "./hashes";
import { keyCommands } from "./keys";
import { CommandError, Keyspace, read, type CommandSpec } from "./keyspace";
import { listCommands } from "./lists";
import { createScriptCommands, fitsArity, NOT_IN_SCRIPTS } from "./scripts";
import { setCommands } from "./sets";
import { sortedSetCommands } from "./sorted-sets";
import { stringCommands } from "./strings";

const SWEEP_MILLISECONDS = 1000;

export type Engine = Backend & {
  /** The names of all commands, in upper case. */
  commandNames: string[];
};

/**
 * An in-process Redis that answers as Redis 7.0 does, error texts included. Each command, script and transaction runs
 * to its end at once, and so atomically. `now` is the clock, in milliseconds since 1970.
 */
export function createEngine(options: { now?: () => number } = {}): Engine {
  const clock = options.now ?? Date.now;
  const keyspace = new Keyspace(clock);
  const commands = new Map<string, CommandSpec>(
    Object.entries({
      ...stringCommands,
      ...keyCommands,
      ...hashCommands,
      ...listCommands,
      ...setCommands,
      ...sortedSetCommands,
      ...createScriptCommands(runFromScript),
      PING: read(-1, (_keyspace, args) => {
        if (args.length > 1) throw new CommandError("ERR wrong number of arguments for 'ping' command");
        return args[0] ?? new Status("PONG");
      }),
      ECHO: read(2, (_keyspace, [message = ""]) => message),
      TIME: read(1, time),
    }),
  );
  const sweeping = setInterval(() => keyspace.sweep(), SWEEP_MILLISECONDS);
  sweeping.unref();

  let lastMicroseconds = 0;
  /** The clock's milliseconds, and a counter below them: two calls differ, as they do on a real server. */
  function time(): Reply {
    const start = clock() * 1000;
    lastMicroseconds = lastMicroseconds >= start && lastMicroseconds < start + 999 ? lastMicroseconds + 1 : start;
    return [String(Math.floor(lastMicroseconds / 1_000_000)), String(lastMicroseconds % 1_000_000)];
  }

  function check(command: Command): ErrorReply | null {
    const [name = "", ...args] = command;
    const spec = commands.get(name.toUpperCase());
    if (spec === undefined) return unknownCommand(name, args);
    if (!fitsArity(spec.arity, command.length)) return wrongArity(name);
    const problem = spec.check?.(args) ?? null;
    return problem === null ? null : new ErrorReply(toLine(problem));
  }

  function run(command: Command): Reply {
    const [name = "", ...args] = command;
    try {
      return check(command) ?? commands.get(name.toUpperCase())?.run(keyspace, args) ?? null;
    } catch (error) {
      if (error instanceof CommandError) return error.reply;
      throw error;
    }
  }

  function runFromScript(command: Command, isReadOnly: boolean): Reply {
    const name = (command[0] ?? "").toUpperCase();
    const spec = commands.get(name);
    if (spec === undefined) return new ErrorReply("ERR Unknown Redis command called from script");
    if (!fitsArity(spec.arity, command.length))
      return new ErrorReply("ERR Wrong number of args calling Redis command from script");
    if (NOT_IN_SCRIPTS.has(name)) return new ErrorReply("ERR This Redis command is not allowed from script");
    if (isReadOnly && spec.isWrite) return new ErrorReply("ERR Write commands are not allowed from read-only scripts.");
    return run(command);
  }

  return {
    commandNames: [...commands.keys()],
    pipeline: (batch) => Promise.resolve(batch.map(run)),
    transact: (batch) => {
      const isRefused = batch.some((command) => check(command) !== null);
      return Promise.resolve(
        isRefused ? new ErrorReply("EXECABORT Transaction discarded because of previous errors.") : batch.map(run),
      );
    },
    close: () => {
      clearInterval(sweeping);
      return Promise.resolve();
    },
  };
}

function wrongArity(name: string): ErrorReply {
  return new ErrorReply(`ERR wrong number of arguments for '${name.toLowerCase()}' command`);
}

function unknownCommand(name: string, args: readonly string[]): ErrorReply {
  const upToZero = (text: string): string => text.replace(/\0[^]*$/, "");
  let shown = "";
  for (const argument of args) {
    if (shown.length >= 128) break;
    shown += `'${upToZero(argument).slice(0, 128 - shown.length)}' `;
  }
  const message = `ERR unknown command '${upToZero(name).slice(0, 128)}', with args beginning with: ${shown}`;
  return new ErrorReply(toLine(message));
}
