import { OK, type Command, type Reply } from "../reply";
import { sha1 } from "../sha1";
import { CommandError, type CommandSpec, type Keyspace } from "./keyspace";
import { createLuaHost } from "./lua";
import { parseInteger } from "./numbers";

type Script = { declaresFlags: boolean; isReadOnly: boolean };

const SHA_LENGTH = 40;
const noScript = (): CommandError => new CommandError("NOSCRIPT No matching script. Please use EVAL.");

const KNOWN_FLAGS = ["no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys"];

/** Not for scripts, as in Redis: those that Redis marks noscript. */
export const NOT_IN_SCRIPTS = new Set(["EVAL", "EVAL_RO", "EVALSHA", "EVALSHA_RO", "SCRIPT"]);

/**
 * EVAL and its kin. `runFromScript` serves redis.call: it gets the command and whether the script may write.
 */
export function createScriptCommands(
  runFromScript: (command: Command, isReadOnly: boolean) => Reply,
): Record<string, CommandSpec> {
  const lua = createLuaHost((command) => runFromScript(command, isRunningReadOnly));
  const scripts = new Map<string, Script>();
  let isRunningReadOnly = false;

  function load(source: string): string {
    const sha = sha1(source);
    if (scripts.has(sha)) return sha;
    const { body, ...script } = readShebang(source);
    const problem = lua.compile(sha, body);
    if (problem !== null) throw new CommandError(`ERR Error compiling script (new function): ${problem}`);
    scripts.set(sha, script);
    return sha;
  }

  function evaluate(keyspace: Keyspace, sha: string, countText: string, rest: string[], isReadOnly: boolean): Reply {
    if (sha.length !== SHA_LENGTH) throw noScript();
    const keyCount = parseKeyCount(countText, rest.length);
    const script = scripts.get(sha);
    if (script === undefined) throw noScript();
    if (isReadOnly && script.declaresFlags && !script.isReadOnly)
      throw new CommandError("ERR Can not execute a script with write flag using *_ro command.");
    isRunningReadOnly = isReadOnly || script.isReadOnly;
    return keyspace.withFrozenExpiry(() => lua.evaluate(sha, rest.slice(0, keyCount), rest.slice(keyCount)));
  }

  const evalCommand = (isReadOnly: boolean): CommandSpec => ({
    arity: -3,
    isWrite: false,
    run(keyspace, [source = "", count = "", ...rest]) {
      parseKeyCount(count, rest.length);
      return evaluate(keyspace, load(source), count, rest, isReadOnly);
    },
  });
  const evalshaCommand = (isReadOnly: boolean): CommandSpec => ({
    arity: -3,
    isWrite: false,
    run: (keyspace, [sha = "", count = "", ...rest]) => evaluate(keyspace, sha.toLowerCase(), count, rest, isReadOnly),
  });

  const subcommands: Record<string, { arity: number; run(args: string[]): Reply }> = {
    LOAD: { arity: 3, run: ([source = ""]) => load(source) },
    EXISTS: { arity: -3, run: (shas) => shas.map((sha) => (scripts.has(sha.toLowerCase()) ? 1 : 0)) },
    FLUSH: {
      arity: -2,
      run(args) {
        const [mode = "SYNC"] = args;
        if (args.length > 1 || !["SYNC", "ASYNC"].includes(mode.toUpperCase()))
          throw new CommandError("ERR SCRIPT FLUSH only support SYNC|ASYNC option");
        scripts.clear();
        lua.flush();
        return OK;
      },
    },
  };

  return {
    EVAL: evalCommand(false),
    EVAL_RO: evalCommand(true),
    EVALSHA: evalshaCommand(false),
    EVALSHA_RO: evalshaCommand(true),
    SCRIPT: {
      arity: -2,
      isWrite: false,
      check([name = "", ...args]) {
        const subcommand = subcommands[name.toUpperCase()];
        if (subcommand === undefined) return `ERR unknown subcommand '${name}'. Try SCRIPT HELP.`;
        const isFitting = fitsArity(subcommand.arity, args.length + 2);
        return isFitting ? null : `ERR wrong number of arguments for 'script|${name.toLowerCase()}' command`;
      },
      run: (_keyspace, [name = "", ...args]) => subcommands[name.toUpperCase()]?.run(args) ?? null,
    },
  };
}

/** `length` counts the command's name, as Redis does. */
export function fitsArity(arity: number, length: number): boolean {
  return arity >= 0 ? length === arity : length >= -arity;
}

function parseKeyCount(text: string, available: number): number {
  const count = parseInteger(text);
  if (count > BigInt(available)) throw new CommandError("ERR Number of keys can't be greater than number of args");
  if (count < 0n) throw new CommandError("ERR Number of keys can't be negative");
  return Number(count);
}

/** A first line such as `#!lua flags=no-writes`. Its newline stays, so that error messages count the lines right. */
function readShebang(source: string): Script & { body: string } {
  if (!source.startsWith("#!")) return { body: source, declaresFlags: false, isReadOnly: false };
  const end = source.indexOf("\n");
  if (end === -1) throw new CommandError("ERR Invalid script shebang");
  const [engine = "", ...options] = source
    .slice(0, end)
    .split(" ")
    .filter((part) => part !== "");
  if (engine !== "#!lua") throw new CommandError(`ERR Unexpected engine in script shebang: ${engine}`);
  const flags = options.flatMap((option) => {
    if (!option.startsWith("flags=")) throw new CommandError(`ERR Unknown lua shebang option: ${option}`);
    return option
      .slice("flags=".length)
      .split(",")
      .filter((flag) => flag !== "");
  });
  const unknown = flags.find((flag) => !KNOWN_FLAGS.includes(flag));
  if (unknown !== undefined) throw new CommandError(`ERR Unexpected flag in script shebang: ${unknown}`);
  return { body: source.slice(end), declaresFlags: true, isReadOnly: flags.includes("no-writes") };
}
