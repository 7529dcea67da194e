import type { Command, Reply } from "./reply";
import { sha1 } from "./sha1";

/**
 * `@upstash/ratelimit` begins its scripts with `#!lua flags=allow-key-locking`, a flag that only Upstash knows and any
 * Redis refuses. Sends the script without that line, which must not show: a script's SHA-1 stays that of the text the
 * client sent. A line with further flags loses only this one.
 */
export function createKeyLockingFlagFilter(): {
  outgoing(command: Command): Command;
  incoming(command: Command, reply: Reply): Reply;
} {
  const sentShaByClientSha = new Map<string, string>();

  function withoutFlag(script: string): string {
    const end = script.indexOf("\n");
    const firstLine = script.slice(0, end === -1 ? script.length : end);
    const flags = /^#!lua flags=(\S+)\s*$/.exec(firstLine)?.[1]?.split(",");
    if (flags?.includes("allow-key-locking") !== true) return script;
    const kept = flags.filter((flag) => flag !== "allow-key-locking");
    const stripped = (kept.length === 0 ? "" : `#!lua flags=${kept.join(",")}`) + script.slice(firstLine.length);
    sentShaByClientSha.set(sha1(script), sha1(stripped));
    return stripped;
  }

  const sentSha = (sha: string): string => sentShaByClientSha.get(sha.toLowerCase()) ?? sha;

  return {
    outgoing(command) {
      const [name = "", first = "", ...rest] = command;
      switch (name.toUpperCase()) {
        case "EVAL":
        case "EVAL_RO":
          return command.length > 1 ? [name, withoutFlag(first), ...rest] : command;
        case "EVALSHA":
        case "EVALSHA_RO":
          return command.length > 1 ? [name, sentSha(first), ...rest] : command;
        case "SCRIPT":
          if (first.toUpperCase() === "LOAD") return [name, first, ...rest.map(withoutFlag)];
          if (first.toUpperCase() === "EXISTS") return [name, first, ...rest.map(sentSha)];
          return command;
        default:
          return command;
      }
    },
    incoming(command, reply) {
      const [name = "", first = "", script = ""] = command;
      const isLoad = name.toUpperCase() === "SCRIPT" && first.toUpperCase() === "LOAD";
      return isLoad && typeof reply === "string" ? sha1(script) : reply;
    },
  };
}
