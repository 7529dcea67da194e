import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

export interface ProcessIdentity {
  /** Tells a process from a later one that was given the same number. */
  startedAt: string;
  /** Its command line, arguments separated by spaces. */
  command: string;
}

/** The running process of that number, or null. Reads /proc on Linux, where slim images have no `ps`; `ps` elsewhere. */
export function identifyProcess(pid: number): ProcessIdentity | null {
  try {
    if (process.platform !== "linux") {
      const field = (name: string) => execFileSync("ps", ["-o", `${name}=`, "-p", String(pid)], { encoding: "utf8" });
      return { startedAt: field("lstart").trim(), command: field("args").trim() };
    }
    // The second field is the program's name in brackets and may itself hold spaces; the state and the rest follow it.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\)\s/s, "")
      .split(" ");
    if (fields[0] === "Z") return null;
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return { startedAt: fields[19] ?? "", command };
  } catch {
    return null;
  }
}
